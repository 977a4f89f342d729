#include "common/privilege.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
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

/* An empty bounding set keeps uid 0 from getting its capabilities back at the exec. */
static int
empty_bounding_set(void)
{
    for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
        if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0)
            return -1;
    }
    return 0;
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

int
privilege_drop(const void *privilege)
{
    const struct privilege *p = privilege;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -1;
    if (geteuid() == 0 &&
        (empty_bounding_set() != 0 || setgroups((size_t)p->n_groups, p->groups) != 0))
        return -1;
    if (setresgid(p->gid, p->gid, p->gid) != 0 || setresuid(p->uid, p->uid, p->uid) != 0)
        return -1;
    return drop_capabilities();
}
