"""A Django hello-world: what starting and keeping many workers costs with a framework in them."""

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=['*'], SECRET_KEY='of no use', MIDDLEWARE=[])
django.setup()


def hello(request):
    return HttpResponse('Hello, world!\n', content_type='text/plain')


urlpatterns = [path('', hello)]
application = get_wsgi_application()
