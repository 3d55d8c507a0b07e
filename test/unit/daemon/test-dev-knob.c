/* SPDX-License-Identifier: MIT */
/*
 * test-dev-knob.c - what a program sets on its device, dev/knob.h: what is
 * taken, what is refused, and what others see of it. Persistent devices and
 * their owners are test-dev-persist.c's.
 */
#include <errno.h>
#include <limits.h>
#include <net/if_arp.h>
#include <string.h>

#include "dev/knob.h"
#include "fake.h"

static struct opened o;

static void attach_device(unsigned int flags)
{
	open_file(&o);
	assert_int_equal(attach(&o, "t0", flags), 0);
}

static const uint8_t good_mac[6] = {2, 0, 0, 0, 0, 7};

static void unattached_file(void **state)
{
	unsigned int family;
	uint8_t mac[6];
	int value;

	open_file(&o);
	assert_int_equal(dev_set_persist(o.file, true), -EBADFD);
	assert_int_equal(dev_set_owner(o.file, (uid_t)-1), -EBADFD);
	assert_int_equal(dev_set_group(o.file, (gid_t)-1), -EBADFD);
	assert_int_equal(dev_set_sndbuf(o.file, -1), -EBADFD);
	assert_int_equal(dev_get_sndbuf(o.file, &value), -EBADFD);
	assert_int_equal(dev_set_vnet_hdr_size(o.file, 0), -EBADFD);
	assert_int_equal(dev_get_vnet_hdr_size(o.file, &value), -EBADFD);
	assert_int_equal(dev_set_vnet_le(o.file, true), -EBADFD);
	assert_int_equal(dev_get_vnet_le(o.file, &value), -EBADFD);
	assert_int_equal(dev_set_offload(o.file, UINT64_MAX), -EBADFD);
	assert_int_equal(dev_set_link_type(o.file, 1), -EBADFD);
	assert_int_equal(dev_set_carrier(o.file, true), -EBADFD);
	assert_int_equal(dev_set_mac(o.file, ARPHRD_ETHER, good_mac), -EBADFD);
	assert_int_equal(dev_get_mac(o.file, &family, mac), -EBADFD);
	close_file(&o);
}

static void send_buffer(void **state)
{
	int value = 0;

	attach_device(IFF_TUN);
	assert_int_equal(dev_get_sndbuf(o.file, &value), 0);
	assert_int_equal(value, INT_MAX);
	assert_int_equal(dev_set_sndbuf(o.file, 0), -EINVAL);
	assert_int_equal(dev_set_sndbuf(o.file, -5), -EINVAL);
	dev_get_sndbuf(o.file, &value);
	assert_int_equal(value, INT_MAX);
	assert_int_equal(dev_set_sndbuf(o.file, 1), 0);
	dev_get_sndbuf(o.file, &value);
	assert_int_equal(value, 1);
	close_file(&o);
}

static void vnet_header(void **state)
{
	int value = 0;

	attach_device(IFF_TAP);
	assert_int_equal(dev_get_vnet_hdr_size(o.file, &value), 0);
	assert_int_equal(value, 10);
	assert_int_equal(dev_set_vnet_hdr_size(o.file, 9), -EINVAL);
	assert_int_equal(dev_set_vnet_hdr_size(o.file, -1), -EINVAL);
	dev_get_vnet_hdr_size(o.file, &value);
	assert_int_equal(value, 10);
	assert_int_equal(dev_set_vnet_hdr_size(o.file, 12), 0);
	assert_int_equal(dev_set_vnet_hdr_size(o.file, 100000), 0);
	dev_get_vnet_hdr_size(o.file, &value);
	assert_int_equal(value, 100000);

	assert_int_equal(dev_get_vnet_le(o.file, &value), 0);
	assert_int_equal(value, 0);
	assert_int_equal(dev_set_vnet_le(o.file, true), 0);
	dev_get_vnet_le(o.file, &value);
	assert_int_equal(value, 1);
	assert_int_equal(dev_set_vnet_le(o.file, false), 0);
	dev_get_vnet_le(o.file, &value);
	assert_int_equal(value, 0);
	close_file(&o);
}

/* Programs find out what there is by what is refused. */
static void offloads(void **state)
{
	enum {
		CSUM = 1,
		TSO4 = 2,
		TSO6 = 4,
		ECN = 8,
		UFO = 0x10,
		USO4 = 0x20,
		USO6 = 0x40,
		TUNNEL = 0x80,
		TUNNEL_CSUM = 0x100,
	};
	static const struct {
		uint64_t flags;
		bool taken;
	} cases[] = {
		{0, true},
		{CSUM, true},
		{CSUM | TSO4, true},
		{CSUM | TSO6, true},
		{CSUM | TSO4 | TSO6 | ECN, true},
		{CSUM | UFO, true},
		{CSUM | USO4 | USO6, true},
		{CSUM | TSO4 | TSO6 | USO4 | USO6, true},
		{CSUM | USO4 | USO6 | TUNNEL | TUNNEL_CSUM, true},
		{CSUM | TSO4 | TUNNEL, true},
		{CSUM | TSO6 | TUNNEL | TUNNEL_CSUM, true},
		{TSO4, false},
		{UFO, false},
		{USO4 | USO6, false},
		{CSUM | ECN, false},
		{CSUM | USO4, false},
		{CSUM | USO6, false},
		{CSUM | TUNNEL, false},
		{CSUM | UFO | TUNNEL, false},
		{CSUM | USO4 | TUNNEL, false},
		{CSUM | TSO4 | TUNNEL_CSUM, false},
		{CSUM | USO4 | USO6 | TUNNEL_CSUM, false},
		{CSUM | 0x200, false},
		{0x8000, false},
		{CSUM | 1ULL << 32, false},
		{UINT64_MAX, false},
	};

	attach_device(IFF_TUN);
	for (size_t i = 0; i < LENGTH(cases); i++)
		if (dev_set_offload(o.file, cases[i].flags) !=
		    (cases[i].taken ? 0 : -EINVAL))
			fail_msg("case %zu", i);
	close_file(&o);
}

static unsigned int family_of(struct opened *of)
{
	unsigned int family = 0;
	uint8_t mac[6];

	assert_int_equal(dev_get_mac(of->file, &family, mac), 0);
	return family;
}

static void up_now(struct host_link *link)
{
	struct host_state now = link->state;

	fake.on_sync = NULL;
	now.up = true;
	device_state(link->owner, &now);
}

static void link_type(void **state)
{
	attach_device(IFF_TUN);
	assert_int_equal(family_of(&o), ARPHRD_NONE);
	assert_int_equal(dev_set_link_type(o.file, ARPHRD_PPP), 0);
	assert_int_equal(family_of(&o), ARPHRD_PPP);
	/* Up, as it turns out. */
	fake.on_sync = up_now;
	assert_int_equal(dev_set_link_type(o.file, ARPHRD_ETHER), -EBUSY);
	assert_int_equal(family_of(&o), ARPHRD_PPP);
	fake_set_up_down(fake_link("t0"), false);
	assert_int_equal(dev_set_link_type(o.file, ARPHRD_ETHER), 0);
	assert_int_equal(family_of(&o), ARPHRD_ETHER);
	close_file(&o);
}

static void carrier(void **state)
{
	attach_device(IFF_TUN);
	assert_int_equal(dev_set_carrier(o.file, false), 0);
	assert_false(fake_link("t0")->carrier);
	assert_int_equal(dev_set_carrier(o.file, true), 0);
	assert_true(fake_link("t0")->carrier);
	fake.carrier_error = -ENODEV;
	assert_int_equal(dev_set_carrier(o.file, false), -ENODEV);
	fake.carrier_error = 0;
	close_file(&o);
}

static void address(void **state)
{
	static const uint8_t zero[6], group[6] = {3, 0, 0, 0, 0, 7};
	unsigned int family = 0;
	uint8_t mac[6];

	attach_device(IFF_TAP);
	assert_int_equal(dev_set_mac(o.file, ARPHRD_ETHER, zero),
			 -EADDRNOTAVAIL);
	assert_int_equal(dev_set_mac(o.file, ARPHRD_ETHER, group),
			 -EADDRNOTAVAIL);
	assert_int_equal(dev_set_mac(o.file, ARPHRD_NONE, good_mac), -EINVAL);
	/* The family is looked at first. */
	assert_int_equal(dev_set_mac(o.file, ARPHRD_NONE, zero), -EINVAL);
	assert_int_equal(dev_set_mac(o.file, ARPHRD_ETHER, good_mac), 0);
	assert_memory_equal(fake_link("t0")->state.mac, good_mac, 6);
	/* What is told is what the host tells. */
	fake_set_up_down(fake_link("t0"), true);
	assert_int_equal(dev_get_mac(o.file, &family, mac), 0);
	assert_int_equal(family, ARPHRD_ETHER);
	assert_memory_equal(mac, good_mac, 6);

	fake.ns_error = -EMFILE;
	assert_int_equal(dev_set_mac(o.file, ARPHRD_ETHER, good_mac), -EMFILE);
	fake.ns_error = 0;
	fake.mac_error = -EBUSY;
	assert_int_equal(dev_set_mac(o.file, ARPHRD_ETHER, good_mac), -EBUSY);
	fake.mac_error = 0;
	assert_int_equal(fake.open_ns, 0);
	/* Its namespace cannot be found. */
	fake.ns_of_error = -EOPNOTSUPP;
	assert_int_equal(dev_set_mac(o.file, ARPHRD_ETHER, good_mac),
			 -EOPNOTSUPP);
	close_file(&o);
}

static void tun_has_no_address(void **state)
{
	unsigned int family;
	uint8_t mac[6] = {9, 9, 9, 9, 9, 9};
	static const uint8_t zero[6];

	attach_device(IFF_TUN);
	assert_int_equal(dev_set_mac(o.file, ARPHRD_ETHER, good_mac),
			 -EOPNOTSUPP);
	assert_int_equal(dev_get_mac(o.file, &family, mac), 0);
	assert_memory_equal(mac, zero, 6);
	close_file(&o);
}

static void new_device_has_its_own(void **state)
{
	int value;

	attach_device(IFF_TUN);
	dev_set_sndbuf(o.file, 5);
	dev_set_vnet_hdr_size(o.file, 50);
	dev_set_link_type(o.file, ARPHRD_PPP);
	fake_delete("t0");
	assert_int_equal(dev_get_sndbuf(o.file, &value), -EBADFD);
	assert_int_equal(attach(&o, "t0", IFF_TUN), 0);
	dev_get_sndbuf(o.file, &value);
	assert_int_equal(value, INT_MAX);
	dev_get_vnet_hdr_size(o.file, &value);
	assert_int_equal(value, 10);
	assert_int_equal(family_of(&o), ARPHRD_NONE);
	close_file(&o);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_set_up, fake_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(unattached_file),
		TEST(send_buffer),
		TEST(vnet_header),
		TEST(offloads),
		TEST(link_type),
		TEST(carrier),
		TEST(address),
		TEST(tun_has_no_address),
		TEST(new_device_has_its_own),
	};

	return cmocka_run_group_tests_name("dev-knob", tests, NULL, NULL);
}
