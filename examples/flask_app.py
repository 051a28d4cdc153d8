"""A Flask app: configs/flask.yaml serves it."""

from flask import Flask, jsonify, request

app = Flask(__name__)


@app.route('/')
def index():
    return 'Hello from Flask\n'


@app.route('/echo', methods=['POST'])
def echo():
    return jsonify(request.get_json())
