"""Machines for tests: a jump host and two hosts behind it, each a real sshd in namespaces of its own.

`alpha` and `beta` can be reached through `jump` alone. Every machine has the file system of the one the tests run
on, copy-on-write in memory, with its own accounts, processes, network and name; nothing it does reaches the machine
below. The kernel takes all of it away when the process that started it ends, however it ends.

`Lab` (lab) starts it, `Host` (host) is a machine and what can happen to it, `Client` (client) the files of a person
who uses it; tests take the fixture `ssh_lab`. By hand: `python -m tests.ssh_lab`.
"""
