"""The tokenizer of a base: read from JSON and text alone, and refused where its words are not those of the encoder."""

import re
from pathlib import Path

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from idto3d.files import damaged, read_json, refusing

CONFIG, WHOLE, VOCABULARY, MERGES = "tokenizer_config.json", "tokenizer.json", "vocab.json", "merges.txt"
CLASSES = ("CLIPTokenizer", "CLIPTokenizerFast", "TokenizersBackend", "PreTrainedTokenizerFast")
WORD_END = "</w>"
SPECIAL = re.compile(r"<\|.*\|>")
STEPS = ("normalizer", "pre_tokenizer", "post_processor", "model")  # of reading a text


def load_tokenizer(folder: Path, words: int, places: int) -> PreTrainedTokenizerBase:
    """The tokenizer in `folder` for a text encoder that knows `words` tokens and has `places` for them.

    Raises UserError where a file is missing or damaged, or belongs to another encoder.
    """
    _expect_config(folder / CONFIG, places)
    main = folder / (WHOLE if (folder / WHOLE).is_file() else VOCABULARY)
    if main.name == WHOLE:
        _expect_whole(main)
    else:
        _expect_merges(folder, read_json(main))
    for extra in ("special_tokens_map.json", "added_tokens.json"):
        if (folder / extra).is_file():
            read_json(folder / extra)
    with refusing(main):
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        except Exception as fault:  # tokenizers, a library in Rust, raises plain Exception
            raise ValueError(str(fault) or type(fault).__name__) from fault
        _expect_words(tokenizer, words, places)
    return tokenizer


def _expect_config(path: Path, places: int) -> None:
    said = read_json(path)
    if said.get("tokenizer_class") not in CLASSES:
        raise damaged(path, f"'tokenizer_class' should be one of {', '.join(CLASSES)}")
    if type(said.get("model_max_length")) is not int or said["model_max_length"] != places:
        raise damaged(path, f"'model_max_length' should be {places}, the places of the text encoder")
    for name in ("pad_token", "bos_token", "eos_token", "unk_token"):
        if not isinstance(said.get(name), (str, dict)):
            raise damaged(path, f"'{name}' should be a text")


def _expect_whole(path: Path) -> None:
    said = read_json(path)
    for name in STEPS:
        if not isinstance(said.get(name), dict):
            raise damaged(path, f"'{name}' should be an object")


def _expect_merges(folder: Path, vocabulary: dict) -> None:
    """Raises UserError unless each word of several letters is made by a merge, and each merge makes a word."""
    path = folder / MERGES
    with refusing(path):
        lines = path.read_text(encoding="utf-8").splitlines()
        pairs = [line.split() for line in lines if line and not line.startswith("#version")]
        if any(len(pair) != 2 for pair in pairs):
            raise ValueError("a line is no pair")
        made = ["".join(pair) for pair in pairs]
        long = {word for word in vocabulary if len(word.removesuffix(WORD_END)) > 1 and not SPECIAL.fullmatch(word)}
        if len(made) != len(set(made)) or set(made) != long:
            raise ValueError(f"its merges are not those of {VOCABULARY}")


def _expect_words(tokenizer: PreTrainedTokenizerBase, words: int, places: int) -> None:
    """Raises ValueError unless it has just the tokens 0..words - 1, and fills all places with them."""
    if sorted(tokenizer.get_vocab().values()) != list(range(words)):
        raise ValueError(f"its tokens are not the {words} of the text encoder")
    for text in ("", "a front view of a face", "word " * places):
        tokens = tokenizer(text, padding="max_length", truncation=True).input_ids
        if len(tokens) != places or not all(0 <= token < words for token in tokens):
            raise ValueError("it gives tokens that the text encoder does not have")
        if tokens[0] != tokenizer.bos_token_id or tokenizer.eos_token_id not in tokens:
            raise ValueError("it does not begin and end a text")
