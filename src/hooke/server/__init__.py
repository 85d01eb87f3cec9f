"""The microscope as a web server: one router a noun, one queue."""
