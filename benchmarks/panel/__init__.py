"""A panel of patients on a virtual clock: who answers what, who works the alerts, and what that comes to."""
