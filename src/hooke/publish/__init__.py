"""A published copy of the microscope: a folder of static files, or one file, with everything but the live parts."""
