"""A Django project, as small as one can be: configs/django.ini serves it."""
