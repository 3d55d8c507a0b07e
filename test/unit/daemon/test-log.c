/* SPDX-License-Identifier: MIT */
/*
 * test-log.c - the messages of base/log.h. Standard error is a datagram
 * socket here: each write(2) arrives as one datagram.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "unit.h"

/* A line's bound in bytes, and the length of a message never cut. */
#define LONGEST 1024
#define WHOLE	900

static int saved_stderr = -1;
static int said_fd = -1;

static int set_up(void **state)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) < 0)
		return -1;
	saved_stderr = dup(STDERR_FILENO);
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	said_fd = fds[0];
	unsetenv("JOURNAL_STREAM");
	log_set_level(LOG_LEVEL_NOTICE);
	return 0;
}

static int tear_down(void **state)
{
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(said_fd);
	return 0;
}

/* What the next write(2) said; "" if there was none. */
static const char *said(void)
{
	static char text[4 * LONGEST];
	ssize_t n = recv(said_fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void line_has_level_and_text(void **state)
{
	log_error("%s: %d", "number", 7);
	assert_string_equal(said(), "tund: error: number: 7\n");
	log_warning("w");
	assert_string_equal(said(), "tund: warning: w\n");
	log_notice("n");
	assert_string_equal(said(), "tund: notice: n\n");
	assert_string_equal(said(), "");
}

static void level_filters(void **state)
{
	for (int limit = LOG_LEVEL_ERROR; limit <= LOG_LEVEL_DEBUG; limit++) {
		log_set_level((enum log_level)limit);
		for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG;
		     level++) {
			log_message((enum log_level)level, "message");
			assert_int_equal(said()[0] != '\0', level <= limit);
		}
	}
}

static void empty_message_is_a_line(void **state)
{
	log_message(LOG_LEVEL_ERROR, "%s", "");
	assert_string_equal(said(), "tund: error: \n");
}

static void journal_gets_priorities(void **state)
{
	static const char *const expected[] = {"<3>m\n", "<4>m\n", "<5>m\n",
					       "<6>m\n", "<7>m\n"};

	setenv("JOURNAL_STREAM", "8:1234", 1);
	log_set_level(LOG_LEVEL_DEBUG);
	for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
		log_message((enum log_level)level, "m");
		assert_string_equal(said(), expected[level]);
	}
	unsetenv("JOURNAL_STREAM");
}

/* Every length around the bound: one line, one write, the text's beginning. */
static void over_long_message_is_cut(void **state)
{
	static const char prefix[] = "tund: error: ";
	char text[2 * LONGEST];
	bool was_cut = false;

	for (size_t len = WHOLE; len < LONGEST + 40; len++) {
		const char *line;
		size_t kept;

		for (size_t i = 0; i < len; i++)
			text[i] = (char)('a' + i % 26);
		text[len] = '\0';
		log_error("%s", text);
		line = said();
		assert_in_range(strlen(line), strlen(prefix) + WHOLE, LONGEST);
		kept = strlen(line) - strlen(prefix) - 1;
		assert_memory_equal(line, prefix, strlen(prefix));
		assert_in_range(kept, WHOLE, len);
		assert_memory_equal(line + strlen(prefix), text, kept);
		assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
		assert_string_equal(said(), "");
		/* Once too long, always too long. */
		assert_true(kept < len || !was_cut);
		was_cut = kept < len;
	}
	assert_true(was_cut);
}

static void control_characters_are_replaced(void **state)
{
	log_error("%s", "a\nb\tc\033[31md\177\r");
	assert_string_equal(said(), "tund: error: a\\x0ab\\x09c\\x1b[31md\\x7f"
				    "\\x0d\n");
	log_error("%s", "\302\233m\233m\342\200\256x\342\201\247y");
	assert_string_equal(said(),
			    "tund: error: \\xc2\\x9bm\\x9bm\\xe2\\x80\\xaex"
			    "\\xe2\\x81\\xa7y\n");
	log_error("%s", "M\303\274ller ~");
	assert_string_equal(said(), "tund: error: M\303\274ller ~\n");
	assert_string_equal(said(), "");
}

static void errno_is_kept(void **state)
{
	errno = EXDEV;
	log_error("message");
	assert_int_equal(errno, EXDEV);
	log_debug("not said");
	assert_int_equal(errno, EXDEV);
	said();
	/* Nobody listens: the write fails. */
	close(STDERR_FILENO);
	log_error("message");
	assert_int_equal(errno, EXDEV);
}

static void levels_have_names(void **state)
{
	assert_int_equal(log_level_from_name("error"), LOG_LEVEL_ERROR);
	assert_int_equal(log_level_from_name("warning"), LOG_LEVEL_WARNING);
	assert_int_equal(log_level_from_name("notice"), LOG_LEVEL_NOTICE);
	assert_int_equal(log_level_from_name("info"), LOG_LEVEL_INFO);
	assert_int_equal(log_level_from_name("debug"), LOG_LEVEL_DEBUG);
	assert_int_equal(log_level_from_name(""), -EINVAL);
	assert_int_equal(log_level_from_name("Error"), -EINVAL);
	assert_int_equal(log_level_from_name("errors"), -EINVAL);
	assert_int_equal(log_level_from_name("0"), -EINVAL);
}

#define THREADS	 4
#define MESSAGES 200

static void *say_many(void *arg)
{
	for (int i = 0; i < MESSAGES; i++)
		log_error("%p", arg);
	return NULL;
}

static void threads_do_not_mix_their_lines(void **state)
{
	pthread_t threads[THREADS];
	unsigned int n = 0;

	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, say_many,
						(void *)(i + 1)),
				 0);
	while (n < THREADS * MESSAGES) {
		struct pollfd pfd = {.fd = said_fd, .events = POLLIN};
		const char *line;
		unsigned int who;

		assert_int_equal(poll(&pfd, 1, PATIENCE_S * 1000), 1);
		line = said();
		assert_int_equal(sscanf(line, "tund: error: 0x%x\n", &who), 1);
		assert_in_range(who, 1, THREADS);
		assert_int_equal(strlen(line), strlen("tund: error: 0x1\n"));
		n++;
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_string_equal(said(), "");
}

/* The last one: there is no way back. */
static void syslog_leaves_standard_error_alone(void **state)
{
	log_to_syslog();
	errno = EXDEV;
	log_debug("test of tund: not for the log");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("test of tund: no harm meant");
	assert_int_equal(errno, EXDEV);
	assert_string_equal(said(), "");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(line_has_level_and_text),
		TEST(level_filters),
		TEST(empty_message_is_a_line),
		TEST(journal_gets_priorities),
		TEST(over_long_message_is_cut),
		TEST(control_characters_are_replaced),
		TEST(errno_is_kept),
		TEST(levels_have_names),
		TEST(threads_do_not_mix_their_lines),
		TEST(syslog_leaves_standard_error_alone),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
