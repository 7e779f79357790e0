from flask import Flask, jsonify, request

import events
from database import db_session
from forms import clean
from models import Entry

app = Flask(__name__)


@app.teardown_appcontext
def remove_session(exception=None):
    db_session.remove()


@app.get("/entries")
def list_entries():
    entries = Entry.query.order_by(Entry.id).all()
    return jsonify([{"author": e.author, "text": e.text} for e in entries])


@app.post("/entries")
def sign():
    author, text = clean(request.form)
    if not author or not text:
        return jsonify(error="author and text must be given"), 400
    entry = Entry(author=author, text=text)
    db_session.add(entry)
    db_session.commit()
    events.publish("signed", {"author": author})
    return jsonify(id=entry.id), 201
