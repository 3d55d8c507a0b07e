/* SPDX-License-Identifier: MIT */
/* test-node.c - the names in the mount and their attributes, fuse/node.h. */
#include <string.h>

#include "fuse/node.h"
#include "unit.h"
#include <tund/abi.h>

#define ROOT 1

static struct nodes nodes;

static int set_up_tree(void **state)
{
	nodes_init(&nodes, MOUNT_TREE);
	return 0;
}

static int set_up_file(void **state)
{
	nodes_init(&nodes, MOUNT_FILE);
	return 0;
}

static int tear_down(void **state)
{
	nodes_destroy(&nodes);
	return 0;
}

static uint64_t net_node(void)
{
	uint64_t ino = node_lookup(&nodes, ROOT, "net");

	assert_int_not_equal(ino, 0);
	return ino;
}

static uint64_t tun_node(void)
{
	uint64_t ino = node_lookup(&nodes, net_node(), "tun");

	assert_int_not_equal(ino, 0);
	return ino;
}

/* The attributes that a new device file has. */
static void assert_new_device(uint64_t ino)
{
	struct stat st;

	memset(&st, 0xff, sizeof(st));
	assert_true(node_is_device(&nodes, ino));
	assert_true(node_stat(&nodes, ino, &st));
	assert_int_equal(st.st_ino, ino);
	assert_int_equal(st.st_mode, S_IFREG | 0666);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(st.st_gid, 0);
	assert_int_equal(st.st_nlink, 1);
	/* Larger than any packet, or writes would wait for each other. */
	assert_true(st.st_size > TUND_MAX_PACKET);
	assert_int_equal(st.st_size, TUND_FILE_SIZE);
}

static void assert_directory(uint64_t ino, unsigned int links)
{
	struct stat st;

	assert_false(node_is_device(&nodes, ino));
	assert_true(node_stat(&nodes, ino, &st));
	assert_int_equal(st.st_ino, ino);
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
	assert_int_equal(st.st_nlink, links);
	assert_int_equal(st.st_uid, 0);
}

static void tree_has_net_and_tun(void **state)
{
	assert_directory(ROOT, 3);
	assert_directory(net_node(), 2);
	assert_new_device(tun_node());
}

static void other_names_are_not_there(void **state)
{
	static const char *const names[] = {"",	  "tun",  "Net",     "net/",
					    "ne", "nets", "net/tun", "..."};

	for (size_t i = 0; i < LENGTH(names); i++)
		assert_int_equal(node_lookup(&nodes, ROOT, names[i]), 0);
	assert_int_equal(node_lookup(&nodes, net_node(), "net"), 0);
	assert_int_equal(node_lookup(&nodes, net_node(), "tun0"), 0);
	/* Nothing is in the device, and nothing in no node. */
	assert_int_equal(node_lookup(&nodes, tun_node(), "tun"), 0);
	assert_int_equal(node_lookup(&nodes, tun_node(), "."), 0);
	assert_int_equal(node_lookup(&nodes, 0, "net"), 0);
	assert_int_equal(node_lookup(&nodes, 99, "net"), 0);
}

static void dots_lead_back(void **state)
{
	assert_int_equal(node_lookup(&nodes, ROOT, "."), ROOT);
	assert_int_equal(node_lookup(&nodes, ROOT, ".."), ROOT);
	assert_int_equal(node_lookup(&nodes, net_node(), "."), net_node());
	assert_int_equal(node_lookup(&nodes, net_node(), ".."), ROOT);
}

static void other_nodes_are_not_there(void **state)
{
	static const uint64_t numbers[] = {0, 4, 99, UINT64_MAX};
	struct stat st;

	for (size_t i = 0; i < LENGTH(numbers); i++) {
		assert_false(node_stat(&nodes, numbers[i], &st));
		assert_false(node_is_device(&nodes, numbers[i]));
	}
}

/* What is listed is what is found, to the end. */
static void assert_lists(uint64_t dir, const char *const *names, size_t n)
{
	uint64_t ino;

	for (size_t i = 0; i < n; i++) {
		const char *name =
			node_entry(&nodes, dir, (unsigned int)i, &ino);

		assert_non_null(name);
		assert_string_equal(name, names[i]);
		assert_int_equal(ino, node_lookup(&nodes, dir, name));
	}
	for (unsigned int i = 0; i < 5; i++)
		assert_null(node_entry(&nodes, dir, (unsigned int)n + i, &ino));
}

static void directories_are_listed(void **state)
{
	static const char *const root[] = {".", "..", "net"};
	static const char *const net[] = {".", "..", "tun"};

	assert_lists(ROOT, root, 3);
	assert_lists(net_node(), net, 3);
	assert_lists(tun_node(), NULL, 0);
	assert_lists(99, NULL, 0);
}

static void owner_and_mode_change(void **state)
{
	uint64_t ino = tun_node();
	struct stat st;

	node_set_owner(&nodes, S_IFREG | 0640, (uid_t)-1, (gid_t)-1);
	node_stat(&nodes, ino, &st);
	assert_int_equal(st.st_mode, S_IFREG | 0640);
	assert_int_equal(st.st_uid, 0);
	node_set_owner(&nodes, (mode_t)-1, 1000, (gid_t)-1);
	node_set_owner(&nodes, (mode_t)-1, (uid_t)-1, 200);
	node_stat(&nodes, ino, &st);
	assert_int_equal(st.st_mode, S_IFREG | 0640);
	assert_int_equal(st.st_uid, 1000);
	assert_int_equal(st.st_gid, 200);
	node_set_owner(&nodes, 0, 0, 0);
	node_stat(&nodes, ino, &st);
	assert_int_equal(st.st_mode, S_IFREG);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(st.st_gid, 0);
	/* The type is not the caller's to change. */
	node_set_owner(&nodes, S_IFDIR | 04755, (uid_t)-1, (gid_t)-1);
	node_stat(&nodes, ino, &st);
	assert_int_equal(st.st_mode, S_IFREG | 04755);
	/* Directories keep theirs. */
	assert_directory(ROOT, 3);
}

static void file_is_the_root(void **state)
{
	assert_new_device(ROOT);
}

static void file_has_no_names(void **state)
{
	struct stat st;

	assert_int_equal(node_lookup(&nodes, ROOT, "net"), 0);
	assert_int_equal(node_lookup(&nodes, ROOT, "."), 0);
	assert_lists(ROOT, NULL, 0);
	/* Nor are the tree's other nodes there. */
	for (uint64_t ino = 2; ino < 6; ino++) {
		assert_false(node_stat(&nodes, ino, &st));
		assert_false(node_is_device(&nodes, ino));
	}
}

#define TREE(f) cmocka_unit_test_setup_teardown(f, set_up_tree, tear_down)
#define FILE(f) cmocka_unit_test_setup_teardown(f, set_up_file, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE(tree_has_net_and_tun),   TREE(other_names_are_not_there),
		TREE(dots_lead_back),	      TREE(other_nodes_are_not_there),
		TREE(directories_are_listed), TREE(owner_and_mode_change),
		FILE(file_is_the_root),	      FILE(file_has_no_names),
	};

	return cmocka_run_group_tests_name("node", tests, NULL, NULL);
}
