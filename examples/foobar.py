# foobar.py
def application(env, start_response):
    """test application
    """
    content = [
        ('Content-Type', 'text/html'),
    ]
    start_response('200 OK', content)
    res_str = 'Hello, {}\n'.format(__name__)
    return [res_str]
