"""Imported before the app."""
import os

PID = os.getpid()
