"""One step of the pipeline a file, one foreign library a file. Importing this package registers every factory."""
