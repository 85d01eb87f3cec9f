/** The types of the wire by the names that the page uses. */
import type { components } from './wire'

type Wire = components['schemas']

export type Refused = Required<Wire['ErrorView']>
export type Prediction = Wire['PredictionView']
export type Layer = Wire['LayerView']
export type Model = Wire['ModelView']
export type Photo = Wire['ImageView']
export type Dictionary = Wire['DictionaryView']
export type Effect = Wire['EffectView']
export type UnitEffects = Wire['UnitEffectsView']
/** The server leaves no field out. */
export type Drawing = Required<Wire['DrawingView']>
export interface Drawings {
  job: string | null
  drawings: Drawing[]
}
/** Events as a job hears them: by then it is known whose they are. */
export type Progress = Omit<Wire['ProgressEvent'], 'job'>
export interface Finished {
  drawing: Drawing
}
export type End = Omit<Wire['EndEvent'], 'job'>
export type Work = Omit<Wire['WorkEvent'], 'job'>
/** The grid of one layer as it stands. */
export type CellGrid = Wire['GridView']
export type CellGrids = Wire['GridsView']
export type Families = Wire['FamiliesView']
export type FamilyKind = Wire['KindView']
/** The map of a layer as it stands. */
export type Atlas = Omit<Wire['AtlasView'], 'cells'> & { cells: AtlasCell[] }
export type AtlasCell = Required<Wire['AtlasCellView']>
export type Sheet = Required<Wire['SheetView']>
export type Density = Wire['DensityView']
export type Selectivity = Wire['SelectivityView']
export type Examples = Wire['ExamplesView']
export type Example = Wire['ExampleView']
export type Quality = Wire['QualityView']
export type Tuning = Wire['TuningView']
export type Weights = Wire['WeightsView']
export type Neighbour = Wire['NeighbourView']
export type Ablation = Wire['AblationView']
export type Hit = Wire['HitView']
export type MethodStanding = Wire['MethodStandingView']
export type Found = Required<Wire['SearchView']>
export type Patch = Wire['PatchView']
export type Standout = Wire['StandoutView']
export type Doubt = Wire['DoubtView']
export type Confusions = Wire['ConfusionsView']
export type Group = Wire['GroupView']
export type GroupRank = Wire['RankView']
export type Groups = Wire['GroupsView']
export type GroupCurve = Wire['CurveView']
export type GroupEffects = Wire['GroupEffectsView']
export type EditedGroups = Wire['EditedGroupsView']
export type EditedFlow = Wire['EditedFlowView']
export type FlowElsewhere = Wire['FlowElsewhereView']
export type Flow = Wire['FlowView']
export type FlowLayer = Wire['FlowLayerView']
export type FlowControl = Wire['FlowControlView']
export type Packed = Wire['PackedView']
export type Spatial = Wire['SpatialView']
export type TracedLayer = Wire['TracedLayerView']
export type Pointed = Wire['PointedView']
export type Votes = Wire['VotesView']
export type Pairs = Wire['PairsView']
export type Channels = Wire['ChannelsView']
export type Drilled = Wire['DrilledView']
export type Argued = Wire['ArguedLayerView']
export type Arguing = Wire['ArguingView']
export type WhatIf = Wire['WhatIfView']
export type Spread = Wire['SpreadView']
export type HowSure = Wire['HowSureView']
export type Sure = Wire['SureView']
export type Beside = Wire['SecondView']
export type Matched = Wire['MatchedView']
export type Compared = Wire['ComparedView']
export type Opinion = Wire['OpinionView']
export type AlikeLayer = Wire['AlikeView']
export type Changes = Wire['ChangesView']

/** What takes a while: the answer, or the job that works it out. */
export type Answer<T> = { ready: T } | { job: string }

/** One cell of a layer's grid. */
export interface Place {
  row: number
  column: number
}
