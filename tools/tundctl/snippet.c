/* SPDX-License-Identifier: MIT */
/*
 * snippet.c - tundctl snippet: pieces of other programs' configuration, to be
 * pasted. It writes no file, and asks neither the daemon nor those programs.
 */
#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tundctl.h"

#define USUAL	 "/dev/net/tun"
#define SERVED	 "/run/tund/dev"
#define OUR_TYPE "fuse.tund"

/* In a piece: @DEVICE@, @USER@ and @NAME@ stand for what the caller has. */
struct kind {
	const char *name;
	const char *sentence;
	const char *piece;
};

static const struct kind kinds[] = {
	{"docker", "a command for a container of Docker",
	 "docker run --cap-add NET_ADMIN -v @DEVICE@:" USUAL " IMAGE\n"},
	{"podman", "a command for a container of Podman",
	 "podman run --cap-add NET_ADMIN -v @DEVICE@:" USUAL " IMAGE\n"},
	{"compose", "a service of compose.yaml",
	 "# compose.yaml\n"
	 "services:\n"
	 "  vpn:\n"
	 "    image: IMAGE\n"
	 "    cap_add:\n"
	 "      - NET_ADMIN\n"
	 "    volumes:\n"
	 "      - type: bind\n"
	 "        source: @DEVICE@\n"
	 "        target: " USUAL "\n"
	 "        # So that Compose 2 makes no directory in its place:\n"
	 "        # bind: {create_host_path: false}\n"},
	{"kubernetes", "a pod, on nodes where tund runs",
	 "# a Pod; a Deployment has the same under spec.template\n"
	 "apiVersion: v1\n"
	 "kind: Pod\n"
	 "metadata:\n"
	 "  name: vpn\n"
	 "spec:\n"
	 "  containers:\n"
	 "    - name: vpn\n"
	 "      image: IMAGE\n"
	 "      securityContext:\n"
	 "        capabilities:\n"
	 "          add: [NET_ADMIN]\n"
	 "      volumeMounts:\n"
	 "        - name: tun\n"
	 "          mountPath: " USUAL "\n"
	 "  volumes:\n"
	 "    - name: tun\n"
	 "      hostPath:\n"
	 "        path: @DEVICE@\n"
	 "        type: File\n"},
	{"systemd", "a drop-in for a service",
	 "# /etc/systemd/system/SERVICE.service.d/tund.conf\n"
	 "[Unit]\n"
	 "Requires=tund.service\n"
	 "After=tund.service\n"
	 "\n"
	 "[Service]\n"
	 "BindPaths=@DEVICE@:" USUAL "\n"},
	{"nspawn", "settings of a container of systemd-nspawn",
	 "# /etc/systemd/nspawn/CONTAINER.nspawn\n"
	 "[Files]\n"
	 "Bind=@DEVICE@:" USUAL "\n"
	 "\n"
	 "[Network]\n"
	 "VirtualEthernet=yes\n"},
	{"lxc", "a line of a container's configuration of LXC",
	 "lxc.mount.entry = @DEVICE@ dev/net/tun none bind,create=file 0 0\n"},
	{"openvpn", "lines of a configuration of OpenVPN",
	 "dev tun\n"
	 "dev-node @DEVICE@\n"},
	{"policy", "a policy of tund.conf(5): a user may have a device",
	 "# /etc/tund/tund.conf.d/@USER@-@NAME@.conf\n"
	 "[Policy @USER@-@NAME@]\n"
	 "User=@USER@\n"
	 "Name=@NAME@\n"
	 "Allow=create attach\n"
	 "# Address=10.8.0.2/24\n"},
};

struct values {
	char device[PATH_MAX + sizeof("/net/tun")];
	const char *user;
	const char *name;
};

/*
 * No character that means something in one of the pieces: none is quoted, so
 * that each looks as its manual has it.
 */
static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr("/._-", *text))
			return false;
	return true;
}

/* ---- where the device is ---- */

/*
 * The mount that /run/tund/dev is, or else the latest one of ours; no mount
 * answers here, for its daemon may be dead.
 */
static bool find_mount(char *ret_path, size_t size)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char root[PATH_MAX], where[PATH_MAX];
	char *line = NULL;
	size_t n = 0;

	ret_path[0] = '\0';
	while (f && getline(&line, &n, f) > 0) {
		const char *rest = strstr(line, " - ");

		if (!rest ||
		    strncmp(rest + 3, OUR_TYPE " ", strlen(OUR_TYPE " ")) ||
		    sscanf(line, "%*s %*s %*s %4095s %4095s", root, where) != 2)
			continue;
		/* A part of it is a copy that somebody has bound. */
		if (strcmp(root, "/") == 0 && strcmp(ret_path, SERVED) != 0)
			snprintf(ret_path, size, "%s", where);
	}
	free(line);
	if (f)
		fclose(f);
	return ret_path[0] != '\0';
}

static void find_device(char *ret_path, size_t size)
{
	char mount[PATH_MAX];
	struct statx stx;

	if (!find_mount(mount, sizeof(mount)))
		strcpy(mount, SERVED);
	/* The kernel knows what a mount's root is without the daemon. */
	if (statx(AT_FDCWD, mount, AT_STATX_DONT_SYNC, STATX_TYPE, &stx) == 0 &&
	    !S_ISDIR(stx.stx_mode))
		snprintf(ret_path, size, "%s", mount);
	else
		snprintf(ret_path, size, "%s/net/tun", mount);
}

/* ---- the command ---- */

static const char *value_of(const struct values *values, const char *word,
			    size_t len)
{
	if (strncmp(word, "DEVICE", len) == 0)
		return values->device;
	return strncmp(word, "USER", len) == 0 ? values->user : values->name;
}

static void print_piece(const char *piece, const struct values *values)
{
	const char *at;

	while ((at = strchr(piece, '@'))) {
		const char *end = strchr(at + 1, '@');

		printf("%.*s%s", (int)(at - piece), piece,
		       value_of(values, at + 1, (size_t)(end - at - 1)));
		piece = end + 1;
	}
	fputs(piece, stdout);
}

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

static int print_kinds(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		printf("%-12s %s\n", kinds[i].name, kinds[i].sentence);
	return 0;
}

static int check_values(const struct values *v)
{
	if (v->device[0] != '/')
		return usage_error(&command_snippet,
				   "--device %s: not an absolute path",
				   v->device);
	if (!is_plain(v->device)) {
		complain("snippet: %s: not all of these programs could read "
			 "this path; give another one with --device",
			 v->device);
		return 1;
	}
	if (!v->user[0] || !is_plain(v->user) || strchr(v->user, '/'))
		return usage_error(&command_snippet,
				   "--user %s: not the name of a user",
				   v->user);
	if (!v->name[0] || !is_plain(v->name) || strchr(v->name, '/') ||
	    strlen(v->name) >= IFNAMSIZ)
		return usage_error(&command_snippet,
				   "--name %s: not the name of an interface",
				   v->name);
	return 0;
}

static const char *own_name(void)
{
	const struct passwd *entry = getpwuid(getuid());

	return entry ? entry->pw_name : "USER";
}

static int snippet_run(int argc, char **argv)
{
	static const struct option options[] = {
		{"device", required_argument, NULL, 'd'},
		{"user", required_argument, NULL, 'u'},
		{"name", required_argument, NULL, 'n'},
		{NULL, 0, NULL, 0},
	};
	struct values v = {.user = own_name(), .name = "vpn0"};
	const char *device = NULL;
	const struct kind *kind;
	int c, r;

	while ((c = next_option(&command_snippet, argc, argv, ":", options)) >=
	       0) {
		if (c == 'd')
			device = optarg;
		else if (c == 'u')
			v.user = optarg;
		else if (c == 'n')
			v.name = optarg;
		else
			return EXIT_USAGE;
	}
	if (optind == argc)
		return print_kinds();
	kind = find_kind(argv[optind]);
	if (!kind)
		return usage_error(&command_snippet,
				   "there is no kind \"%s\"; without one they "
				   "are listed",
				   argv[optind]);
	if (optind + 1 < argc)
		return usage_error(&command_snippet,
				   "\"%s\" is one word too many",
				   argv[optind + 1]);
	if (device && strlen(device) >= PATH_MAX)
		return usage_error(&command_snippet,
				   "--device: the path is too long");
	if (device)
		snprintf(v.device, sizeof(v.device), "%s", device);
	else
		find_device(v.device, sizeof(v.device));
	r = check_values(&v);
	if (r == 0)
		print_piece(kind->piece, &v);
	return r;
}

const struct command command_snippet = {
	.name = "snippet",
	.sentence = "print configuration for a container, a service, a user",
	.help = "Usage: tundctl snippet [--device PATH] [--user USER] "
		"[--name NAME]\n"
		"                       [KIND]\n"
		"Prints a piece of configuration that gives a program the "
		"device. Without\n"
		"KIND, the kinds there are. Needs no daemon, and no root.\n"
		"\n"
		"  --device PATH  the device file; default: where tund is "
		"mounted, or\n"
		"                 else " SERVED "/net/tun\n"
		"  --user USER    for policy: who may; default: the caller\n"
		"  --name NAME    for policy: which interface; default vpn0\n"
		"\n"
		"Words in capitals, as IMAGE, are yours to replace.\n"
		"\n"
		"Exit status: 0, 1 failure, 2 usage.\n",
	.run = snippet_run,
};
