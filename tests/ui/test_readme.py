"""The README's script of the API is run as it stands there, against a page over the toy pipeline."""

import re
import subprocess
import sys

from idto3d.config import ROOT

SCRIPT = re.compile(r"```python\n(.*?)```", re.DOTALL)


def test_the_script_of_the_readme_makes_changes_and_fetches_a_head(address, page, tmp_path):
    [script] = [text for text in SCRIPT.findall((ROOT / "README.md").read_text()) if "gradio_client" in text]
    assert "http://127.0.0.1:7860" in script
    path = tmp_path / "script.py"
    path.write_text(script.replace("http://127.0.0.1:7860", address))
    ended = subprocess.run([sys.executable, path], capture_output=True, text=True, timeout=240, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    said = ended.stdout.splitlines()
    assert "done" in said and "['a young woman with long black hair', 'green hair']" in said
    with open(said[-1], "rb") as glb:
        assert glb.read(4) == b"glTF"
    assert len(page[1].desk.ids()) == 1
