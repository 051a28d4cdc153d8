"""A Flask app that tells about its place."""
import os

from flask import Flask, request

app = Flask(__name__)


@app.route('/where')
def where():
    return '%s|%s|%s|%s|%s' % (
        request.script_root, request.path, os.environ.get('NAME', ''), os.path.basename(os.getcwd()), os.getpid())
