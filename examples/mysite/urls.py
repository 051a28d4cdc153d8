"""The one page of the example project."""

from django.http import HttpResponse
from django.urls import path


def index(request):
    return HttpResponse('Hello from Django, %s\n' % request.get_host())


urlpatterns = [path('', index)]
