"""A Django app in one file that tells about its place."""
import os

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=['*'], SECRET_KEY='for tests only')
django.setup()


def where(request):
    return HttpResponse('%s|%s|%s' % (request.META['SCRIPT_NAME'], request.path_info, os.getpid()))


urlpatterns = [path('where', where)]
application = get_wsgi_application()
