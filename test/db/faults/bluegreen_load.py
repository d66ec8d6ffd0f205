#!/usr/bin/env python3
"""Writes through a pooler from several threads until a file appears; each acknowledged write is noted.

Usage: bluegreen_load.py CONNINFO PREFIX FOLDER

FOLDER/stop ends it. FOLDER/acked gets the id of each write that the server has confirmed, FOLDER/failed a line a
query that failed, FOLDER/ready exists once every thread has written.
"""
import os
import sys
import threading

import psycopg2

THREADS = 8


def work(thread, conninfo, prefix, folder, acked, failed, started):
    connection = psycopg2.connect(conninfo)
    think = threading.Event()
    number = 0
    while not os.path.exists(f"{folder}/stop"):
        number += 1
        name = f"{prefix}-{thread}-{number}"
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute("INSERT INTO acked (id, thread) VALUES (%s, %s)", (name, thread))
                cursor.execute("INSERT INTO item (a, note) VALUES (%s, %s) RETURNING id", (thread, name))
                cursor.execute("UPDATE item SET a = a + 1 WHERE id = %s", (1 + (number * THREADS + thread) % 2000,))
            acked.append(name)
        except psycopg2.Error as error:
            failed.append(f"{name}: {error}")
            connection.close()
            connection = psycopg2.connect(conninfo)
        started[thread] = True
        think.wait(0.01)


def main():
    conninfo, prefix, folder = sys.argv[1:]
    acked, failed, started = [], [], [False] * THREADS
    threads = [threading.Thread(target=work, args=(i, conninfo, prefix, folder, acked, failed, started))
               for i in range(THREADS)]
    for thread in threads:
        thread.start()
    pause = threading.Event()
    while not all(started):
        pause.wait(0.02)
    with open(f"{folder}/ready", "w", encoding="utf-8"):
        pass
    for thread in threads:
        thread.join()
    for name, lines in (("acked", acked), ("failed", failed)):
        with open(f"{folder}/{name}", "w", encoding="utf-8") as file:
            file.writelines(line.replace("\n", " ") + "\n" for line in lines)


main()
