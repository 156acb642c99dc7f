"""A scene, its history of versions, and the form in which the page is told of changes."""
