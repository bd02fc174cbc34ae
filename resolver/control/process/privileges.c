/* How a process gives up rights (capabilities(7)):
 *
 *     setresuid     away from root empties the permitted, effective and ambient sets; if
 *                   PR_SET_KEEPCAPS was set, the permitted set stays, of which capset(2) leaves the
 *                   master one capability
 *     bounding set  emptied, and no_new_privs set, so that no executed program can gain rights
 *     ambient set   emptied, because the server inherits a capability through it
 *     dumpable      cleared, so that secrets in memory go into no core file, and no process of the
 *                   same user reads or traces this one; after the change of ids, which resets it
 *
 * The C library sets ids for all threads. capset(2) sets rights of the calling thread alone, so a
 * process calls it before other threads run. Some later threads call it, too (privileges_none).
 *
 * Files that root made for an earlier run are not given to the user: whoever may write to a
 * directory decides where its names lead, and could have root give away any file. They are faults
 * that say what to do. */
#include "resolver/control/process/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "resolver/control/process/master_wire.h"
#include "resolver/control/store/source.h"

/* The first server sends its groups to the master in a message with room for this many, and later
 * servers inherit the groups of the master. With more groups, the first server could read files
 * that a later one cannot. */
enum { GROUPS_MAX = MASTER_GROUPS_MAX };

#define BINDING (UINT64_C(1) << CAP_NET_BIND_SERVICE)

struct identity { /* the user to become */
	uid_t uid;
	gid_t gid;
	gid_t groups[GROUPS_MAX];
	int group_count;
	int left_out; /* number of the user's groups beyond GROUPS_MAX */
};

/* ---- users and groups ---- */

/* The whole text must be a number; the kernel takes 4294967295 as "unchanged". */
static bool parse_id(const char *text, unsigned *id)
{
	char *end;
	errno = 0;
	unsigned long number = strtoul(text, &end, 10);
	*id = (unsigned)number;
	return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && number < UINT_MAX;
}

static int tell_unknown(const struct model *model, const char *field, const char *name,
			struct faults *faults)
{
	fault_add(faults, FAULT_ERROR, &model->user_origin, NULL,
		  "there is no %s \"%s\" on this machine; create it (%s --system %s), or give "
		  "another's name or number",
		  field, name, strcmp(field, "user") == 0 ? "useradd" : "groupadd", name);
	return ERR_FAULTS;
}

static int find_group(const struct model *model, struct identity *identity, struct faults *faults)
{
	const struct group *group = getgrnam(model->group);
	unsigned number;
	if (group)
		identity->gid = group->gr_gid;
	else if (parse_id(model->group, &number))
		identity->gid = number;
	else
		return tell_unknown(model, "group", model->group, faults);
	identity->groups[0] = identity->gid;
	identity->group_count = 1;
	identity->left_out = 0;
	return 0;
}

/* Finds the groups of a user, or as many as there is room for. */
static void find_groups(const struct passwd *user, struct identity *identity)
{
	identity->group_count = GROUPS_MAX;
	if (getgrouplist(user->pw_name, user->pw_gid, identity->groups, &identity->group_count) >=
	    0)
		return;
	identity->left_out = identity->group_count - GROUPS_MAX;
	identity->group_count = GROUPS_MAX;
}

/* A numeric user without an account has its number as its group. */
static int find_user(const struct model *model, struct identity *identity, struct faults *faults)
{
	const struct passwd *user = getpwnam(model->user);
	unsigned number;
	if (!user && parse_id(model->user, &number)) {
		identity->uid = identity->gid = identity->groups[0] = number;
		identity->group_count = 1;
		user = getpwuid(number);
	}
	if (user) {
		identity->uid = user->pw_uid;
		identity->gid = user->pw_gid;
		find_groups(user, identity);
	}
	if (identity->group_count == 0)
		return tell_unknown(model, "user", model->user, faults);
	return model->group ? find_group(model, identity, faults) : 0;
}

const char *privileges_text(char text[PRIVILEGES_TEXT_MAX])
{
	const struct passwd *user = getpwuid(geteuid());
	snprintf(text, PRIVILEGES_TEXT_MAX, "user %s (uid %u, gid %u)",
		 user ? user->pw_name : "without a name", (unsigned)geteuid(), (unsigned)getegid());
	return text;
}

/* ---- capabilities ---- */

/* Keeps the thread's capabilities in `kept` and makes them effective. Those in `inherited` become
 * inheritable, as PR_CAP_AMBIENT_RAISE requires. Does not call capset if nothing would change: a
 * service manager may have forbidden it. */
static int keep(uint64_t kept, uint64_t inherited)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	/* Set to 0, because valgrind takes only one element as filled in. */
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
	if (syscall(SYS_capget, &header, data) != 0)
		return ERR_SYSTEM;
	bool same = true;
	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		uint32_t left = data[i].permitted & (uint32_t)(kept >> (32 * i));
		uint32_t handed = left & (uint32_t)(inherited >> (32 * i));
		same = same && data[i].permitted == left && data[i].effective == left &&
		       data[i].inheritable == handed;
		data[i].permitted = data[i].effective = left;
		data[i].inheritable = handed;
	}
	return same || syscall(SYS_capset, &header, data) == 0 ? 0 : ERR_SYSTEM;
}

/* The bounding set limits what executed programs can gain. Only CAP_SETPCAP may empty it; without
 * that right the set stays as the service manager left it. */
static void empty_bounding_set(void)
{
	for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0;
	     capability++)
		(void)prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

static int forswear(void)
{
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* old kernels lack it */
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
			       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
		       ? 0
		       : ERR_SYSTEM;
}

int privileges_none(void)
{
	return keep(0, 0);
}

/* ---- files ---- */

struct checking {
	struct faults *faults;
	char who[PRIVILEGES_TEXT_MAX];
};

static void check_readable(const struct checking *checking, const char *path,
			   const struct origin *origin, const char *field)
{
	if (!path || faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0)
		return;
	fault_add(checking->faults, FAULT_ERROR, origin, field,
		  "%s cannot be read by %s, as every reload has to: %s; let that user read it, and "
		  "enter the directories above it",
		  path, checking->who, strerror(errno));
}

/* Replacing a file, or adding files beside it, needs rights to its directory. */
static void check_directory(const struct checking *checking, const char *path,
			    const struct origin *origin, const char *field)
{
	char copy[PATH_MAX];
	if (!path)
		return;
	snprintf(copy, sizeof copy, "%s", path);
	const char *directory = dirname(copy);
	if (faccessat(AT_FDCWD, directory, R_OK | W_OK | X_OK, AT_EACCESS) == 0 || errno == ENOENT)
		return; /* the code that opens the file makes or reports a missing directory */
	fault_add(checking->faults, FAULT_ERROR, origin, field,
		  "files in %s cannot be made by %s: %s; make that directory the user's own "
		  "(chown)",
		  directory, checking->who, strerror(errno));
}

/* Needs no check of -wal and -shm: SQLite gives them the state's owner. */
static void check_state(const struct checking *checking, const struct management *management)
{
	const char *state = source_file(management->state);

	check_directory(checking, state, &management->origin, "state");
	if (!state || faccessat(AT_FDCWD, state, R_OK | W_OK, AT_EACCESS) == 0 || errno == ENOENT)
		return;
	fault_add(checking->faults, FAULT_ERROR, &management->origin, "state",
		  "%s cannot be written by %s: %s; make it that user's own (chown), with "
		  "%s-wal and %s-shm where these are there",
		  state, checking->who, strerror(errno), state, state);
}

static void check_management(const struct checking *checking, const struct management *management)
{
	check_readable(checking, management->certificate, &management->origin, "certificate");
	check_readable(checking, management->key, &management->origin, "key");
	for (size_t i = 0; i < management->clients.count; i++)
		check_readable(checking, management->clients.items[i].secret_file,
			       &management->clients.items[i].origin, "secret_file");
	check_state(checking, management);
	if (management->given) /* else the socket need not open */
		check_directory(checking, management->socket, &management->origin, "socket");
}

static void check_files(const struct model *model, const char *resolv_conf, struct faults *faults)
{
	struct checking checking = {.faults = faults};
	privileges_text(checking.who);
	for (size_t i = 0; i < model->files.count; i++)
		check_readable(&checking, model->files.items[i].path,
			       &(struct origin){.file = model->files.items[i].path}, NULL);
	for (size_t i = 0; i < model->private_zones.count; i++)
		check_readable(&checking, model->private_zones.items[i].file,
			       &model->private_zones.items[i].origin, "file");
	for (size_t i = 0; i < model->keys.count; i++)
		check_readable(&checking, model->keys.items[i].secret_file,
			       &model->keys.items[i].origin, "secret_file");
	check_readable(&checking, model->udp.cookie_secret_file, &model->udp.origin,
		       "cookie_secret_file");
	check_readable(&checking, resolv_conf, &model->origin, NULL);
	check_directory(&checking, model->query_log.file, &model->query_log.origin, "file");
	check_directory(&checking, model->query_log.dnstap_file, &model->query_log.origin,
			"dnstap_file");
	check_management(&checking, &model->management);
}

/* ---- the program ---- */

/* Whether the user can change the file: as its owner (who can chmod it), or because anybody can. */
static bool is_changed_by(const char *path, uid_t uid)
{
	struct stat st;

	return stat(path, &st) == 0 && (st.st_uid == uid || st.st_mode & S_IWOTH);
}

void privileges_check_program(const struct model *model, struct faults *faults)
{
	struct identity identity = {.uid = geteuid()};
	struct faults unused;
	struct stat st;
	char path[PATH_MAX], folder[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);

	path[length > 0 ? length : 0] = '\0';
	faults_init(&unused); /* privileges_drop reports an unknown user */
	int err = model->user ? find_user(model, &identity, &unused) : 0;
	faults_release(&unused);
	if (err || identity.uid == 0 || stat(path, &st) != 0 || st.st_uid == 0)
		return;
	snprintf(folder, sizeof folder, "%s", path);
	if (!is_changed_by(path, identity.uid) && !is_changed_by(dirname(folder), identity.uid))
		return;
	fault_add(faults, FAULT_WARNING, &model->user_origin, NULL,
		  "the program %s, or its folder, can be changed by the user that serves (uid %u), "
		  "so "
		  "a server that has become hostile could have another one started in its place; "
		  "make both root's (chown root)",
		  path, (unsigned)identity.uid);
}

/* ---- becoming the user ---- */

/* Makes the directory as root: /run is empty after a boot, and only root can make directories
 * there. Opening the socket reports a failure. */
static void make_socket_directory(const struct model *model, const struct identity *identity)
{
	char copy[PATH_MAX];
	snprintf(copy, sizeof copy, "%s", model->management.socket);
	const char *directory = dirname(copy);
	if (mkdir(directory, 0755) != 0)
		return;
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	int err = fchown(fd, identity->uid, identity->gid);
	(void)err;
	close(fd);
}

static bool has_become(const struct identity *identity)
{
	uid_t real, effective, saved;
	gid_t group, effective_group, saved_group;
	return getresuid(&real, &effective, &saved) == 0 && real == identity->uid &&
	       effective == real && saved == real &&
	       getresgid(&group, &effective_group, &saved_group) == 0 && group == identity->gid &&
	       effective_group == group && saved_group == group && setresuid(0, 0, 0) != 0;
}

static int become_groups(const struct identity *identity)
{
	return setgroups((size_t)identity->group_count, identity->groups) == 0 &&
			       setresgid(identity->gid, identity->gid, identity->gid) == 0
		       ? 0
		       : ERR_SYSTEM;
}

static int become(const struct identity *identity, uint64_t kept)
{
	empty_bounding_set();
	if (prctl(PR_SET_KEEPCAPS, kept != 0, 0, 0, 0) != 0 || become_groups(identity) != 0 ||
	    setresuid(identity->uid, identity->uid, identity->uid) != 0)
		return ERR_SYSTEM;
	if (keep(kept, kept) != 0 || prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) != 0)
		return ERR_SYSTEM;
	if (has_become(identity))
		return 0;
	errno = EPERM;
	return ERR_SYSTEM;
}

int privileges_keep_binding(uid_t uid, gid_t gid, const gid_t *groups, size_t count)
{
	struct identity identity = {.uid = uid, .gid = gid};
	for (; (size_t)identity.group_count < count && identity.group_count < GROUPS_MAX;
	     identity.group_count++)
		identity.groups[identity.group_count] = groups[identity.group_count];
	/* The inheritable capability comes first, while the bounding set still has it. */
	return keep(UINT64_MAX, BINDING) == 0 && become(&identity, BINDING) == 0 &&
			       prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0,
				     0) == 0 &&
			       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
		       ? 0
		       : ERR_SYSTEM;
}

int privileges_begin(void)
{
	bool binds = geteuid() != 0 && prctl(PR_CAPBSET_READ, CAP_NET_BIND_SERVICE, 0, 0, 0) == 1;

	if (binds && keep(UINT64_MAX, BINDING) == 0) /* raising fails without the capability */
		(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0);
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : ERR_SYSTEM;
}

static int tell_cannot(const struct model *model, const struct identity *identity,
		       struct faults *faults)
{
	fault_add(faults, FAULT_ERROR, &model->user_origin, NULL,
		  "the program cannot become uid %u, gid %u: %s; in a container, are both mapped?",
		  (unsigned)identity->uid, (unsigned)identity->gid, strerror(errno));
	return ERR_FAULTS;
}

static int drop_to_user(const struct model *model, const struct identity *identity,
			struct faults *faults)
{
	if (geteuid() != 0) {
		fault_add(faults, FAULT_ERROR, &model->user_origin, NULL,
			  "only root can become another user (uid %u), and this is uid %u; start "
			  "it as root or as that user, or leave `user` out",
			  (unsigned)identity->uid, (unsigned)geteuid());
		return ERR_FAULTS;
	}
	if (identity->left_out > 0)
		fault_add(faults, FAULT_WARNING, &model->user_origin, NULL,
			  "user %s is in %d groups, and only the first %d count; take it out of "
			  "some, or set `group` to the one that the server needs",
			  model->user, GROUPS_MAX + identity->left_out, GROUPS_MAX);
	return become(identity, 0) == 0 && forswear() == 0 ? 0
							   : tell_cannot(model, identity, faults);
}

/* Takes the configured group, without a change of user. */
static int take_group(const struct model *model, const struct identity *identity,
		      struct faults *faults)
{
	if (!model->group || identity->gid == getegid())
		return 0;
	if (geteuid() == 0)
		return become_groups(identity) == 0 ? 0 : tell_cannot(model, identity, faults);
	fault_add(faults, FAULT_WARNING, &model->user_origin, NULL,
		  "only root can take another group (gid %u), so this stays gid %u; start it as "
		  "root or with that group, or leave `group` out",
		  (unsigned)identity->gid, (unsigned)getegid());
	return 0;
}

static int give_up_rest(const struct model *model, struct faults *faults)
{
	if ((geteuid() == 0 || keep(0, 0) == 0) && forswear() == 0)
		return 0;
	fault_add(faults, FAULT_ERROR, &model->user_origin, NULL,
		  "rights that are not needed cannot be given up: %s", strerror(errno));
	return ERR_FAULTS;
}

/* Keeps the current user: root with all its rights, or the user that a service manager has set.
 * Takes the configured group. */
static int stay(const struct model *model, const struct identity *identity, struct faults *faults)
{
	return take_group(model, identity, faults) == 0 ? give_up_rest(model, faults) : ERR_FAULTS;
}

/* Keeps the user of the server before. A reload may have accepted another user, or one that does
 * not exist, with a warning; names must be answered all the same. */
static int stay_as_before(const struct model *model, struct faults *faults)
{
	struct identity identity = {0};
	struct faults unknown;
	bool known;

	faults_init(&unknown);
	known = model->user && find_user(model, &identity, &unknown) == 0;
	faults_release(&unknown);
	if (!model->user || (known && identity.uid == geteuid()))
		return stay(model, &identity, faults);
	fault_add(faults, FAULT_WARNING, &model->user_origin, NULL,
		  "another user takes a restart; still uid %u", (unsigned)geteuid());
	return give_up_rest(model, faults);
}

int privileges_drop(const struct model *model, const char *resolv_conf, enum privileges_for what,
		    struct faults *faults)
{
	struct identity identity = {0};
	size_t errors = faults->errors;
	int err;

	if (what == PRIVILEGES_SERVE_AGAIN)
		return stay_as_before(model, faults);
	err = model->user ? find_user(model, &identity, faults) : 0;
	if (err != 0)
		return err;
	if (!model->user || identity.uid == geteuid())
		return stay(model, &identity, faults);
	if (what != PRIVILEGES_CHECK && geteuid() == 0)
		make_socket_directory(model, &identity);
	err = drop_to_user(model, &identity, faults);
	if (err == 0)
		check_files(model, resolv_conf, faults);
	return faults->errors == errors ? 0 : ERR_FAULTS;
}
