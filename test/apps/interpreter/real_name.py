"""Known to the app under another name."""
WHO = __name__
