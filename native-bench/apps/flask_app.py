"""A Flask hello-world: what a worker weighs with a framework in it."""

from flask import Flask

application = Flask(__name__)


@application.route('/')
def hello():
    return 'Hello, world!\n'
