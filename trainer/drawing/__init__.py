"""Charts as SVG text, and the same as pictures: for the report, the analysis and the station."""
