"""A story on a virtual clock: the services are production's, only time and the carrier are moved by hand."""
