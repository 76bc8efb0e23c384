"""What a DICOM data set says: read, kept and left out, element by element."""
