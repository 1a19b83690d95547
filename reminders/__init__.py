"""Doseline: texts patients their doses while a drug is being stepped up, kept or tapered off."""
