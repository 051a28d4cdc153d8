"""Settings of the example project. A real one keeps its SECRET_KEY out of the source."""

import os

SECRET_KEY = os.environ.get('DJANGO_SECRET_KEY', 'only for the example')
DEBUG = False
ALLOWED_HOSTS = ['*']
ROOT_URLCONF = 'mysite.urls'
USE_TZ = True
