"""Pages on paper: PDF files, printed by Chromium from the built pages, which then link to them."""

import subprocess

PAGES = ("docs/cheat-sheet.html", "ko/docs/cheat-sheet.html")  # each becomes a .pdf beside it


def print_pages(site):
    """Prints the pages that are there; raises ValueError with what Chromium said if it cannot."""
    for page in PAGES:
        source = site / page
        if not source.is_file():
            continue
        target = source.with_suffix(".pdf")
        run = subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer", f"--print-to-pdf={target}", source.as_uri()],
            capture_output=True, text=True, check=False)
        if run.returncode or not target.is_file():
            raise ValueError(f"{page} could not be printed: {run.stderr}")
        text = source.read_text("utf-8")
        source.write_text(text.replace("</h1>", f'</h1>\n<p><a href="{target.name}">PDF</a></p>', 1), "utf-8")
