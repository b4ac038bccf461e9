from concurrent.futures import ThreadPoolExecutor

from idto3d.files import write_atomic


def test_threads_that_write_the_same_file_do_not_take_each_others_part(tmp_path):
    path, texts = tmp_path / "job.json", [b"%d" % number * 1000 for number in range(40)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda text: write_atomic(path, text), texts))
    assert path.read_bytes() in texts and list(tmp_path.iterdir()) == [path]
