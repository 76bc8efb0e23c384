"""Images where they are: fetched by DICOMweb, or received as a C-STORE listener."""
