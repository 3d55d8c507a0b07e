/* SPDX-License-Identifier: MIT */
/*
 * test-config-gateways.c - which gateways a device's routes may have,
 * config_gateways.c: what no address reaches is told with its place.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "unit.h"

static char path[] = "/tmp/tund-test-gateways-XXXXXX";
static char said[4096];

static void say(const char *message)
{
	strncat(said, message, sizeof(said) - strlen(said) - 2);
	strcat(said, "\n");
}

static bool is_taken(const char *section, const char *keys)
{
	struct config *config;
	FILE *f = fopen(path, "w");
	int r;

	assert_non_null(f);
	fprintf(f, "%s\n%s\n", section, keys);
	assert_int_equal(fclose(f), 0);
	said[0] = '\0';
	r = config_load(path, true, say, &config);
	if (r == 0)
		config_free(config);
	return r == 0;
}

#define DEVICE "[Device vpn0]\nKind=tun"

static void at_hand(void **state)
{
	static const char *const cases[] = {
		"Address=10.8.0.2/24\nRoute=default via 10.8.0.1",
		"Route=default via 10.8.0.1\nAddress=10.8.0.2/24",
		"Address=10.8.0.2/32 peer 10.9.0.1\nRoute=default via 10.9.0.1",
		"Route=default via 10.8.0.1\nRoute=10.8.0.1/32",
		"Address=fd00::2/64\nRoute=::/0 via fd00::1",
		"Route=::/0 via fe80::1",
		"Route=10.0.0.0/8 via 0.0.0.0",
	};

	for (size_t i = 0; i < LENGTH(cases); i++)
		if (!is_taken(DEVICE, cases[i]))
			fail_msg("refused: %s\n%s", cases[i], said);
	/* Of a policy's interface there may be other addresses. */
	assert_true(is_taken("[Policy a]\nAllow=attach",
			     "Route=default via 10.8.0.1"));
}

static void out_of_reach(void **state)
{
	static const struct {
		const char *keys;
		int line;
		const char *gateway;
	} cases[] = {
		{"Address=10.8.0.2/24\nRoute=default via 10.9.0.1", 4,
		 "10.9.0.1"},
		{"Route=default via 10.8.0.1\nAddress=fd00::2/64", 3,
		 "10.8.0.1"},
		{"Address=10.8.0.2/24 peer 10.9.0.1\n"
		 "Route=default via 10.8.0.1",
		 4, "10.8.0.1"},
		{"Address=10.8.0.2/24\nRoute=10.9.0.0/16 via 10.8.0.1\n"
		 "Route=10.10.0.0/16 via 10.9.0.1",
		 5, "10.9.0.1"},
		{"Address=fd00::2/64\nRoute=::/0 via fd01::1", 4, "fd01::1"},
	};
	char want[300];

	for (size_t i = 0; i < LENGTH(cases); i++) {
		assert_false(is_taken(DEVICE, cases[i].keys));
		snprintf(want, sizeof(want),
			 "%s:%d: Route=: no Address= of [Device vpn0] reaches "
			 "the gateway %s: write one whose network it is in, or "
			 "leave \"via\" out\n",
			 path, cases[i].line, cases[i].gateway);
		assert_string_equal(said, want);
	}
}

static int set_up(void **state)
{
	int fd = mkstemp(path);

	return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_hand),
		cmocka_unit_test(out_of_reach),
	};

	return cmocka_run_group_tests_name("config-gateways", tests, set_up,
					   tear_down);
}
