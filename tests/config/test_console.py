"""What reaches the terminal out of a child's log."""

from config.stack.console import LogWatch


def test_person_sees_the_first_trouble_in_a_log_and_not_the_flood(tmp_path):
    log = tmp_path / "web.log"
    log.write_text("09:00:00 ERROR an old one\n")
    watch = LogWatch(log)
    with log.open("a") as file:
        file.write(
            "09:00:01 INFO chat: fine\n09:00:02 ERROR chat: broken\n09:00:02 ERROR chat: broken again\n"
        )
    assert watch.next_notable_line() == "09:00:02 ERROR chat: broken"
    assert watch.next_notable_line() == ""


def test_person_is_not_bothered_with_what_every_start_says(tmp_path):
    log = tmp_path / "postgres.log"
    log.touch()
    watch = LogWatch(log)
    log.write_text(
        "FATAL:  the database system is starting up\n"
        "FATAL:  terminating connection due to administrator command\n"
        "    . logfile -> [stderr]@%WARNING\n"
        "half a line with ERROR"
    )
    assert watch.next_notable_line() == ""
