def clean(form):
    return form.get("author", "").strip(), form.get("text", "").strip()
