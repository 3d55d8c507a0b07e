/* SPDX-License-Identifier: MIT */
/*
 * test-options.c - the command line, options.h: what is taken, what is refused,
 * and with which words. The configuration file is test-config.c's.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "options.h"
#include "unit.h"

#define MAX_ARGS 10

static char dir[] = "/tmp/tund-test-options-XXXXXX";
static char config_path[128];
static char said[16384];

static int set_up(void **state)
{
	char *made = mkdtemp(dir);

	snprintf(config_path, sizeof(config_path), "%s/tund.conf", dir);
	return made ? 0 : -1;
}

static int tear_down(void **state)
{
	unlink(config_path);
	rmdir(dir);
	return 0;
}

static void write_config(const char *text)
{
	FILE *f = fopen(config_path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/* ---- what was printed ---- */

static int saved_fds[2];
static FILE *captured;

static void begin_capture(void)
{
	captured = tmpfile();
	assert_non_null(captured);
	fflush(stdout);
	for (int i = 0; i < 2; i++) {
		saved_fds[i] = dup(i + 1);
		dup2(fileno(captured), i + 1);
	}
}

static void end_capture(void)
{
	size_t n;

	fflush(stdout);
	for (int i = 0; i < 2; i++) {
		dup2(saved_fds[i], i + 1);
		close(saved_fds[i]);
	}
	rewind(captured);
	n = fread(said, 1, sizeof(said) - 1, captured);
	said[n] = '\0';
	fclose(captured);
}

/* A list of arguments that ends with NULL; what was printed is in `said`. */
static enum options_result parse(struct options *options, ...)
{
	char program[] = "tund";
	char *argv[MAX_ARGS + 2] = {program};
	enum options_result result;
	va_list args;
	int argc = 1;

	va_start(args, options);
	while (argc <= MAX_ARGS && (argv[argc] = va_arg(args, char *)))
		argc++;
	va_end(args);
	/* So glibc begins anew. */
	optind = 0;
	begin_capture();
	result = options_parse(argc, argv, options);
	end_capture();
	/* What is asked of it below stays. */
	options_free(options);
	return result;
}

static void assert_said(const char *text)
{
	if (!strstr(said, text))
		fail_msg("\"%s\" is not in: %s", text, said);
}

/* One line, with the program's name. */
static void assert_one_line(void)
{
	assert_int_equal(strncmp(said, "tund: ", 6), 0);
	assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
}

/* ---- the command line ---- */

/* The machine's own configuration is left out by an empty one. */
static void defaults(void **state)
{
	struct options options;

	write_config("");
	assert_int_equal(parse(&options, "--config", config_path, NULL),
			 OPTIONS_RUN);
	assert_string_equal(options.mount, "/run/tund/dev");
	assert_int_equal(options.log_level, LOG_LEVEL_NOTICE);
	assert_false(options.foreground);
	assert_string_equal(said, "");
}

static void every_option(void **state)
{
	struct options options;

	write_config("");
	assert_int_equal(parse(&options, "--foreground", "--mount", "/dev/x",
			       "--log-level=debug", "--config", config_path,
			       NULL),
			 OPTIONS_RUN);
	assert_string_equal(options.mount, "/dev/x");
	assert_int_equal(options.log_level, LOG_LEVEL_DEBUG);
	assert_true(options.foreground);
}

static void last_one_counts(void **state)
{
	struct options options;

	write_config("");
	assert_int_equal(parse(&options, "--mount", "/a", "--mount", "/b",
			       "--config", config_path, NULL),
			 OPTIONS_RUN);
	assert_string_equal(options.mount, "/b");
}

static void relative_mount_becomes_absolute(void **state)
{
	char cwd[PATH_MAX], expected[PATH_MAX + 16];
	struct options options;

	write_config("");
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_int_equal(parse(&options, "--mount", "x/y", "--config",
			       config_path, NULL),
			 OPTIONS_RUN);
	snprintf(expected, sizeof(expected), "%s/x/y", cwd);
	assert_string_equal(options.mount, expected);
}

/* It would be followed at the mount, and not when that is taken away. */
static void links_are_followed(void **state)
{
	struct options options;
	char link_path[160];

	write_config("");
	snprintf(link_path, sizeof(link_path), "%s/link", dir);
	assert_int_equal(symlink("/dev/null", link_path), 0);
	assert_int_equal(parse(&options, "--mount", link_path, "--config",
			       config_path, NULL),
			 OPTIONS_RUN);
	unlink(link_path);
	assert_string_equal(options.mount, "/dev/null");
}

static void bad_mounts(void **state)
{
	char longest[PATH_MAX + 1];
	struct options options;

	write_config("");
	assert_int_equal(
		parse(&options, "--mount", "", "--config", config_path, NULL),
		OPTIONS_USAGE);
	assert_one_line();
	assert_said("mount point is empty");

	memset(longest, 'x', PATH_MAX);
	longest[0] = '/';
	longest[PATH_MAX] = '\0';
	assert_int_equal(parse(&options, "--mount", longest, "--config",
			       config_path, NULL),
			 OPTIONS_USAGE);
	assert_one_line();
	assert_said("too long");
	longest[PATH_MAX - 1] = '\0';
	assert_int_equal(parse(&options, "--mount", longest, "--config",
			       config_path, NULL),
			 OPTIONS_RUN);
	assert_string_equal(options.mount, longest);
}

static void help_and_version_are_answers(void **state)
{
	static const char *const options_told[] = {
		"--mount", "--foreground", "--log-level", "--config",
		"--check", "--version",	   "--help",	  "tund(8)"};
	struct options options;

	assert_int_equal(parse(&options, "--version", NULL), OPTIONS_DONE);
	assert_string_equal(said, "tund " TUND_VERSION "\n");
	assert_int_equal(parse(&options, "--help", NULL), OPTIONS_DONE);
	assert_int_equal(strncmp(said, "Usage: tund", 11), 0);
	for (size_t i = 0; i < LENGTH(options_told); i++)
		assert_said(options_told[i]);
	/* Whatever is wrong with the configuration. */
	write_config("nonsense\n");
	assert_int_equal(
		parse(&options, "--config", config_path, "--help", NULL),
		OPTIONS_DONE);
}

static void bad_usage(void **state)
{
	struct options options;

	assert_int_equal(parse(&options, "--nonsense", NULL), OPTIONS_USAGE);
	assert_said("--nonsense");
	assert_said("Try \"tund --help\"");
	assert_int_equal(parse(&options, "-f", NULL), OPTIONS_USAGE);
	assert_said("Try \"tund --help\"");
	assert_int_equal(parse(&options, "--mount", NULL), OPTIONS_USAGE);
	assert_said("--mount");
	assert_int_equal(parse(&options, "--foreground=yes", NULL),
			 OPTIONS_USAGE);
	assert_int_equal(parse(&options, "/dev/net", NULL), OPTIONS_USAGE);
	assert_one_line();
	assert_said("\"/dev/net\"");
	assert_said("--mount");
	assert_int_equal(parse(&options, "--log-level", "loud", NULL),
			 OPTIONS_USAGE);
	assert_one_line();
	assert_said("loud");
	assert_said("error, warning, notice, info, debug");
}

static void named_config_must_exist(void **state)
{
	struct options options;

	unlink(config_path);
	assert_int_equal(parse(&options, "--config", config_path, NULL),
			 OPTIONS_USAGE);
	assert_one_line();
	assert_said(config_path);
	assert_said("No such file");
}

static void command_line_has_the_last_word(void **state)
{
	struct options options;

	write_config("[Daemon]\nMount=/from/config\nLogLevel=error\n");
	assert_int_equal(parse(&options, "--config", config_path, NULL),
			 OPTIONS_RUN);
	assert_string_equal(options.mount, "/from/config");
	assert_int_equal(options.log_level, LOG_LEVEL_ERROR);
	assert_int_equal(parse(&options, "--mount", "/from/line", "--config",
			       config_path, "--log-level", "info", NULL),
			 OPTIONS_RUN);
	assert_string_equal(options.mount, "/from/line");
	assert_int_equal(options.log_level, LOG_LEVEL_INFO);
}

static void bad_file_ends_in_usage(void **state)
{
	struct options options;

	write_config("[Daemon]\nMount=relative\n");
	assert_int_equal(parse(&options, "--config", config_path, NULL),
			 OPTIONS_USAGE);
	assert_one_line();
}

/* ---- --check ---- */

static void check_says_what_it_found(void **state)
{
	struct options options;

	write_config("[Device vpn0]\nKind=tun\n[Policy a]\nAllow=none\n");
	assert_int_equal(parse(&options, "--check", config_path, NULL),
			 OPTIONS_DONE);
	assert_said("no mistake; 1 device, 1 policy");
	assert_said(config_path);
	assert_int_equal(
		parse(&options, "--check", "--config", config_path, NULL),
		OPTIONS_DONE);
	write_config("[Device vpn0]\nKind=tun\nNonsense=1\n");
	assert_int_equal(parse(&options, "--check", config_path, NULL),
			 OPTIONS_FAILED);
	assert_one_line();
	assert_said(":3: unknown key Nonsense=");
	unlink(config_path);
	assert_int_equal(parse(&options, "--check", config_path, NULL),
			 OPTIONS_FAILED);
	assert_said("No such file");
	/* One file. */
	assert_int_equal(parse(&options, "--check", "a", "b", NULL),
			 OPTIONS_USAGE);
	assert_said("unexpected argument \"b\"; --check takes one file");
	assert_int_equal(parse(&options, "--check", "--config", "a", "b", NULL),
			 OPTIONS_USAGE);
	assert_said("unexpected argument \"b\"; --check takes one file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(every_option),
		cmocka_unit_test(last_one_counts),
		cmocka_unit_test(relative_mount_becomes_absolute),
		cmocka_unit_test(links_are_followed),
		cmocka_unit_test(bad_mounts),
		cmocka_unit_test(help_and_version_are_answers),
		cmocka_unit_test(bad_usage),
		cmocka_unit_test(named_config_must_exist),
		cmocka_unit_test(command_line_has_the_last_word),
		cmocka_unit_test(bad_file_ends_in_usage),
		cmocka_unit_test(check_says_what_it_found),
	};

	return cmocka_run_group_tests_name("options", tests, set_up, tear_down);
}
