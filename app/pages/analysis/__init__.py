"""The job "analysis": how readers looked and performed, from the study to figures."""
