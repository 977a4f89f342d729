/*
 * Which files make up an E01 set, and in which order.
 */
#include <dirent.h>
#include <inttypes.h>

#include "common/cleanup.h"
#include "common/ewf_image.h"
#include "common/segname.h"
#include "common/text.h"

/* A path as EnCase names segments: its stem, and the letter that the extensions count from. */
struct naming {
    const char *base; /* last component of the path */
    size_t stem;      /* length of the path before the extension */
    size_t base_stem; /* the same of the last component */
    char first;
};

static bool
is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* The number of the segment whose extension (without the dot) is ext, or 0. */
static uint32_t
extension_number(char first, const char *ext)
{
    char a = first >= 'A' && first <= 'Z' ? 'A' : 'a';
    char z = first >= 'A' && first <= 'Z' ? 'Z' : 'z';

    if (strlen(ext) != 3 || ext[0] < first || ext[0] > z)
        return 0;
    if (ext[0] == first && ext[1] >= '0' && ext[1] <= '9' && ext[2] >= '0' && ext[2] <= '9')
        return (uint32_t)(ext[1] - '0') * 10 + (uint32_t)(ext[2] - '0');
    if (ext[1] < a || ext[1] > z || ext[2] < a || ext[2] > z)
        return 0;
    return 100 + (uint32_t)(ext[0] - first) * 676 + (uint32_t)(ext[1] - a) * 26 +
           (uint32_t)(ext[2] - a);
}

static bool
parse_naming(const char *path, struct naming *out)
{
    const char *base = image_base_name(path);
    const char *dot = strrchr(base, '.');

    if (!dot || strlen(dot) != 4 || !is_letter(dot[1]))
        return false;
    *out = (struct naming){
        .base = base,
        .stem = (size_t)(dot - path),
        .base_stem = (size_t)(dot - base),
        .first = dot[1],
    };
    return true;
}

/* E01's letter is E (S for SMART): a set given by its 776th file, .FAA, counts from E all the same.
 */
static char
usual_first(char letter)
{
    static const char usual[] = "EeSsLl";
    char best = letter;

    for (const char *p = usual; *p; p++) {
        bool same_case = (*p >= 'a') == (letter >= 'a');

        if (same_case && *p <= letter && (best == letter || *p > best))
            best = *p;
    }
    return best;
}

static char *
segment_path(const char *path, const struct naming *at, uint32_t number)
{
    char ext[SEGNAME_EXT_MAX] = "";

    (void)segname_ewf(at->first, number, ext);
    return xasprintf("%.*s%s", (int)at->stem, path, ext);
}

/* Marks in `there` the numbers of the files of that name; returns the highest. */
static uint32_t
scan_directory(const char *path, const struct naming *at, bool there[SEGNAME_E01_MAX + 1])
{
    AUTO_FREE char *name = xstrndup(path, (size_t)(at->base - path));
    AUTO_DIR DIR *dir = opendir(*name ? name : ".");
    const struct dirent *e;
    uint32_t highest = 0;

    while (dir && (e = readdir(dir)) != NULL) {
        uint32_t number;

        if (strlen(e->d_name) != at->base_stem + 4 || e->d_name[at->base_stem] != '.' ||
            memcmp(e->d_name, at->base, at->base_stem) != 0)
            continue;
        number = extension_number(at->first, e->d_name + at->base_stem + 1);
        if (number == 0 || number > SEGNAME_E01_MAX)
            continue;
        there[number] = true;
        if (number > highest)
            highest = number;
    }
    return highest;
}

/* The number in the file header of the first of the files, or 0. */
static unsigned
first_number(const struct image_files *files)
{
    uint8_t p[EWF_FILE_HEADER_SIZE];

    if (image_files_read(files, 0, p, sizeof p, 0) != (ssize_t)sizeof p)
        return 0;
    return (unsigned)p[9] | (unsigned)p[10] << 8;
}

/* The same of a file that is not one of the image's. */
static unsigned
number_in(const char *path)
{
    struct err ignored = ERR_INIT;
    struct image_files alone;
    unsigned number = 0;

    image_files_init(&alone);
    if (image_files_add(&alone, path, &ignored) == 0)
        number = first_number(&alone);
    image_files_free(&alone);
    return number;
}

static int
refuse_later_segment(const char *path, struct naming *at, unsigned number, struct err *err)
{
    AUTO_FREE char *first = NULL;

    at->first = usual_first(at->first);
    first = segment_path(path, at, 1);
    return err_set(err, OUTCOME_FAILED, "'%s' is segment %u of its image; give the first, '%s'",
                   path, number, first);
}

/* Without a manifest: every file of the set's name. What stands between two that are there and is
   not there itself is missing. A name of another kind stands for a single file. */
static int
open_by_name(struct image *img, const char *path, struct err *err)
{
    AUTO_FREE bool *there = xcalloc(SEGNAME_E01_MAX + 1, sizeof *there);
    unsigned number = first_number(&img->files);
    struct naming at;
    uint32_t highest;

    if (!parse_naming(path, &at))
        return 0;
    if (extension_number(at.first, path + at.stem + 1) != 1)
        return number > 1 ? refuse_later_segment(path, &at, number, err) : 0;
    highest = scan_directory(path, &at, there);
    for (uint32_t i = 2; i <= highest; i++) {
        AUTO_FREE char *name = segment_path(path, &at, i);

        if (!there[i])
            image_files_add_missing(&img->files, name);
        else if (image_files_add(&img->files, name, err) != 0)
            return -1;
    }
    return 0;
}

/* A file that was renamed out of the set still says which segment it is. Takes the path. */
static void
note_extra(struct image *img, char *path)
{
    AUTO_FREE char *extra = path;
    unsigned number = number_in(extra);
    bool lost = number > 0 && number <= img->files.n && !img->files.v[number - 1].present;
    AUTO_FREE char *was =
        lost ? xasprintf(", but holds segment %u, which is missing: it was renamed", number) : NULL;

    image_add_finding(img,
                      &(struct finding_spec){.check = IMAGE_CHECK_SEGMENTS,
                                             .segment = NO_SEGMENT,
                                             .file_offset = NO_OFFSET},
                      "'%s' is not part of the image%s; move it away, other tools take it for its "
                      "next segment",
                      image_base_name(extra), was ? was : "");
}

/* Files that carry the set's name beside those that the manifest lists. */
static void
find_extra(struct image *img)
{
    AUTO_FREE bool *there = xcalloc(SEGNAME_E01_MAX + 1, sizeof *there);
    const char *path = img->files.v[0].path;
    struct naming at;
    uint32_t highest;

    if (!parse_naming(path, &at) || extension_number(at.first, path + at.stem + 1) != 1)
        return;
    highest = scan_directory(path, &at, there);
    for (uint32_t i = (uint32_t)img->files.n + 1; i <= highest; i++) {
        if (there[i])
            note_extra(img, segment_path(path, &at, i));
    }
}

/* "File header". */
static void
read_file_header(struct image *img, size_t i)
{
    uint8_t p[EWF_FILE_HEADER_SIZE] = {0};
    ssize_t n;

    if (!img->files.v[i].present)
        return;
    n = image_files_read(&img->files, i, p, sizeof p, 0);
    if (n != (ssize_t)sizeof p) {
        image_add_finding(img,
                          &(struct finding_spec){.check = IMAGE_CHECK_SEGMENTS,
                                                 .incomplete = n >= 0,
                                                 .segment = i,
                                                 .file_offset = 0},
                          n < 0 ? "the segment cannot be read"
                                : "the segment is cut off within its file header");
        img->ewf->segments[i].number = (uint16_t)(i + 1); /* its name is all there is to go by */
        return;
    }
    if (memcmp(p, "EVF\x09\x0d\x0a\xff\x00", 8) != 0)
        ewf_damage(img, i, 0, "the file does not begin with an E01's signature");
    if (p[8] != 1 || p[11] != 0 || p[12] != 0)
        ewf_damage(img, i, 8, "the file header is damaged");
    img->ewf->segments[i].number = (uint16_t)(p[9] | p[10] << 8);
}

/* True if the numbers in the files give each file a place of its own. */
static bool
numbers_give_places(const struct image *img)
{
    AUTO_FREE bool *taken = xcalloc(img->files.n, sizeof *taken);

    for (size_t i = 0; i < img->files.n; i++) {
        size_t place = img->ewf->segments[i].number;

        if (!img->files.v[i].present)
            continue;
        if (place == 0 || place > img->files.n || taken[place - 1])
            return false;
        taken[place - 1] = true;
    }
    return true;
}

static void
swap_segments(struct image *img, size_t a, size_t b)
{
    struct image_file file = img->files.v[a];
    struct ewf_segment segment = img->ewf->segments[a];
    size_t listed = img->segments[a].listed;

    img->files.v[a] = img->files.v[b];
    img->files.v[b] = file;
    img->ewf->segments[a] = img->ewf->segments[b];
    img->ewf->segments[b] = segment;
    img->segments[a].listed = img->segments[b].listed;
    img->segments[b].listed = listed;
}

/* A file that was renamed still says which segment it is. */
static void
put_in_order(struct image *img)
{
    bool sound = numbers_give_places(img);

    for (size_t i = 0; i < img->files.n; i++) {
        unsigned number = img->ewf->segments[i].number;

        if (img->files.v[i].present && number != i + 1)
            image_add_finding(img,
                              &(struct finding_spec){
                                  .check = IMAGE_CHECK_SEGMENTS, .segment = i, .file_offset = 9},
                              "the file holds segment %u, its name stands for segment %zu%s",
                              number, i + 1, sound ? "; it was read in its own place" : "");
    }
    for (size_t i = 0; sound && i < img->files.n; i++) {
        while (img->files.v[i].present && img->ewf->segments[i].number != i + 1)
            swap_segments(img, i, (size_t)img->ewf->segments[i].number - 1);
    }
}

int
ewf_find_segments(struct image *img, const struct image_source *from, struct err *err)
{
    if (!from->manifest && !from->parts && open_by_name(img, from->path, err) != 0)
        return -1;
    if (from->manifest)
        find_extra(img);
    img->ewf->segments = xcalloc(img->files.n, sizeof *img->ewf->segments);
    image_fill_segments(img);
    for (size_t i = 0; i < img->files.n; i++)
        read_file_header(img, i);
    put_in_order(img);
    image_fill_segments(img);
    return 0;
}
