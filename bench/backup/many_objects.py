#!/usr/bin/env python3
"""
A made-up repository of any number of objects, to measure how memory goes with them: small objects in packs, lists of them, three snapshots of which each has two thirds of everything, one third changing.

usage: many_objects.py FOLDER OBJECTS        FOLDER is a repository that 'matter-backup init' made just now
"""
import hashlib
import os
import struct
import subprocess
import sys

PACK, MOST = 16 << 20, 32 << 10
NODE = 64


class Writer:
    def __init__(self, folder):
        self.folder = folder
        self.pack = bytearray()
        self.entries = []
        os.makedirs(f'{folder}/index', exist_ok=True)

    def put(self, body):
        name = hashlib.sha256(body)
        self.pack += struct.pack('<III', 0x184D2A5A, 12, len(body)) + name.digest()[:8]
        self.entries.append((name.hexdigest(), len(self.pack), len(body)))
        self.pack += body
        if len(self.pack) >= PACK or len(self.entries) >= MOST:
            self.flush()
        return name.hexdigest()

    def flush(self):
        if not self.entries:
            return
        pack = hashlib.sha256(self.pack).hexdigest()
        os.makedirs(f'{self.folder}/data/{pack[:2]}', exist_ok=True)
        self.keep(f'data/{pack[:2]}/{pack}', self.pack)
        lines = ''.join(f'{name} {pack} {at} {size} r\n' for name, at, size in self.entries)
        frame = subprocess.run(['zstd', '-qc', '--content-size', f'--stream-size={len(lines)}'], input=lines.encode(),
                               capture_output=True, check=True).stdout
        self.keep(f'index/{hashlib.sha256(frame).hexdigest()}', frame)
        self.pack, self.entries = bytearray(), []

    def keep(self, key, content):
        with open(f'{self.folder}/{key}', 'wb') as f:
            f.write(content)

    def tree(self, lines):
        """A list of these lines, and of lists."""
        while len(lines) > NODE:
            lines = [f'n {self.put("".join(lines[i:i + NODE]).encode())} 0 0\n' for i in range(0, len(lines), NODE)]
        return self.put(''.join(lines).encode())


def main():
    folder, count = sys.argv[1], int(sys.argv[2])
    w = Writer(folder)
    thirds = []
    for third in range(3):
        names = [w.put(b'%d/%d' % (third, n)) for n in range(count // 3)]
        thirds.append([f'o {name}\n' for name in names])
    for n in range(3):
        contents = w.put(f'source\tdatabase\tmade up {n}\n'.encode())
        root = w.tree(thirds[n] + thirds[(n + 1) % 3] + [f'o {contents}\n'])
        text = (f'matterark-snapshot 1\ntaken_ms {1700000000000 + n}\nfinished_ms {1700000000000 + n}\ntool bench\nroot {root}\n'
                f'contents {contents}\ntables 0\nrows 0\nrow_bytes 0\nfiles 0\nfile_bytes 0\nmissing 0\nadded_bytes 0\nall_files 0\n')
        text += f'sha256 {hashlib.sha256(text.encode()).hexdigest()}\n'
        w.flush()
        os.makedirs(f'{folder}/snapshots', exist_ok=True)
        w.keep(f'snapshots/20231114T221320Z-{n:016x}', text.encode())


main()
