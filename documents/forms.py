"""The shape of what the documents pages take from their addresses. Rules are the services' business."""

from django import forms


class PassageForm(forms.Form):
    """Which page to open, and which span of its text to mark, in code points."""

    page = forms.IntegerField(min_value=1, required=False)
    start = forms.IntegerField(min_value=0, required=False)
    end = forms.IntegerField(min_value=0, required=False)
