#include "common/privilege.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

    return (int)syscall(SYS_capset, &header, none);
}

static bool
is_among(unsigned long cap, const unsigned *capabilities, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (capabilities[i] == cap)
            return true;
    }
    return false;
}

/* What is not in the bounding set does not come back at an exec of uid 0. */
static int
cut_bounding_set(const unsigned *keep, size_t n)
{
    for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
        if (!is_among(cap, keep, n) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0)
            return -1;
    }
    return 0;
}

int
privilege_keep(const unsigned *capabilities, size_t n)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};
    uint32_t wanted[_LINUX_CAPABILITY_U32S_3] = {0};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -1;
    if (geteuid() != 0)
        return 0;
    if (cut_bounding_set(capabilities, n) != 0 || syscall(SYS_capget, &header, data) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        wanted[CAP_TO_INDEX(capabilities[i])] |= CAP_TO_MASK(capabilities[i]);
    for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        data[i].permitted &= wanted[i];
        data[i].effective = data[i].permitted;
        data[i].inheritable = 0;
    }
    return (int)syscall(SYS_capset, &header, data);
}

void
privilege_find(uid_t uid, gid_t gid, struct privilege *out)
{
    const struct passwd *pw = getpwuid(uid);

    *out = (struct privilege){.uid = uid, .gid = gid};
    if (!pw)
        return;
    out->n_groups = PRIVILEGE_GROUPS_MAX;
    if (getgrouplist(pw->pw_name, gid, out->groups, &out->n_groups) < 0)
        out->n_groups = PRIVILEGE_GROUPS_MAX;
}

/* A uid of 0 without them is no more than a number: a job of root's in the daemon. */
static bool
has_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};
    uint32_t any = 0;

    if (syscall(SYS_capget, &header, data) != 0)
        return true;
    for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
        any |= data[i].permitted;
    return any != 0;
}

int
privilege_drop(const void *privilege)
{
    const struct privilege *p = privilege;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -1;
    if (geteuid() == 0 && has_capabilities() &&
        (cut_bounding_set(NULL, 0) != 0 || setgroups((size_t)p->n_groups, p->groups) != 0))
        return -1;
    if (setresgid(p->gid, p->gid, p->gid) != 0 || setresuid(p->uid, p->uid, p->uid) != 0)
        return -1;
    return drop_capabilities();
}
