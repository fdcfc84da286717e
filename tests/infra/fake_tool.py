"""Stands for az, kubectl, helm, kubelogin and git in the tests of estate.py: answers from a script, logs the call.

The script is a list of rules; the first one whose pattern fits the command line answers, and a rule with `times`
is used up. In a pattern `^` is the start and `.*` anything. A call that no rule fits fails loudly.
It imports nothing but what Python starts with anyway, because a test starts it ten times and more.
"""

import os
import sys

HOME = os.environ["FAKE_TOOLS_HOME"]


def main() -> int:
    command = " ".join([os.path.basename(sys.argv[0]), *sys.argv[1:]])
    files = {word[1:]: content(word[1:]) for word in sys.argv[1:] if word.startswith("@")}
    with open(f"{HOME}/calls", "a") as log:
        call = {"command": command, "argv": sys.argv[1:], "stdin": sys.stdin.read(), "files": files}
        log.write(repr(call) + "\n")
    with open(f"{HOME}/script") as file:
        script = eval(file.read())
    for rule in script:
        if rule.get("times", 1) > 0 and fits(rule["match"], command):
            if "times" in rule:
                rule["times"] -= 1
                with open(f"{HOME}/script", "w") as file:
                    file.write(repr(script))
            sys.stdout.write(rule.get("stdout", ""))
            sys.stderr.write(rule.get("stderr", ""))
            return rule.get("rc", 0)
    sys.stderr.write(f"fake tool: no rule for: {command}\n")
    return 97


def fits(pattern, command):
    is_anchored = pattern.startswith("^")
    at = 0
    for number, part in enumerate(pattern.lstrip("^").split(".*")):
        found = command.find(part, at)
        if found < 0 or (is_anchored and number == 0 and found > 0):
            return False
        at = found + len(part)
    return True


def content(path):
    """What a command was given in a file, and who else could have read it."""
    with open(path) as file:
        return {"text": file.read(), "mode": oct(os.stat(path).st_mode & 0o777)}


if __name__ == "__main__":
    sys.exit(main())
