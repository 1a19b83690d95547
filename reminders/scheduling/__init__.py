"""When things are asked for: APScheduler jobs built from the stored plans, and what is done again and again.

A job is a knock on the door; the rows decide who is due. Nothing here knows what a dose is.
"""
