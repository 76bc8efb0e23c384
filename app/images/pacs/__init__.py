"""Images from archives: fetched by DICOMweb, or received as a C-STORE listener."""
