#!/usr/bin/python3
"""make_seeds.py FOLDER: one valid input for each target, to start from."""
import os
import sys


FILTERS = [
    'title = "Emma" AND price >= 1.5e1 OR NOT in_print',
    'any(authors, ignore_case(full_name) = "Jane" AND count(books, price < 3) > 2) OR pages NOT IN (1, -2)',
    r'all(tags, name:"x\u00e4") AND none(editors, link.book_id != 3)',
    r"""cover IS NOT NULL AND starts_with(title, 'a\'b') AND contains(title, "\\")""",
    '((a_double <= -0.5e-3 AND a_bool = true) OR (a_uint64 = 18446744073709551615 AND a_bytes = "aGk="))',
    'branch = "north" AND shelf IN (1, 2, null) AND id = null AND handle < "m" AND name != "n" OR book_id > 1',
]


def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def field(number, value):
    """An integer, or bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def main():
    book = field(1, 7) + field(2, "Sense and Sensibility".encode()) + b"\x19" + b"\0" * 8 + field(4, 1) \
        + field(5, b"\x89PNG") + field(6, 300)
    record = field(1, 1) + field(2, b"library.Book") + field(3, book) + field(4, 0)
    edge = field(1, 1) + field(2, b"authors") + field(3, 2) + field(4, 0)
    graph = field(1, record) + field(1, field(1, 2) + field(2, b"author")) + field(2, edge)
    create = field(1, graph)
    link = field(1, field(1, 1)) + field(2, b"tags") + field(3, field(2, b"order"))
    commit = field(1, field(1, create)) + field(1, field(4, link))
    listing = field(1, b"book") + field(2, b"-price") + field(3, 10) + field(4, b"\1token") + field(5, b"authors")
    seeds = {}
    for name, payload in (("create", create), ("commit", commit), ("list", listing)):
        for shift in range(5):  # the length chooses the method: see fuzz_frame.c
            seeds["frame-%s-%d" % (name, shift)] = (
                field(1, b"hero.v1.Records/X" + b"x" * shift) + field(2, payload) + field(3, b"\1" * 16)
                + field(4, 9) + field(5, 3) + field(6, 1000) + field(7, 1) + field(8, 2))
    for model in range(8):
        seeds["record-%d" % model] = bytes([model]) + book
    for i, text in enumerate(FILTERS):
        for model in range(8):
            seeds["filter-%d-%d" % (i, model)] = bytes([model]) + text.encode()
    for name, data in seeds.items():
        with open(os.path.join(sys.argv[1], name), "wb") as f:
            f.write(data)


if __name__ == "__main__":
    main()
