# An image that does not read back as it was written: exit 6, and no name but .partial.
. "$(dirname "$0")/../lib/system.sh"
require jq
own_programs
random_file "$T/src" 4194304
mkdir "$T/d"

# A bad medium, played by a program that stands in the place of exhibit-verify: it changes one byte
# of the image and then runs the real one.
mv "$T/bin/exhibit-verify" "$T/real-verify"
{
    echo "#!/bin/bash"
    declare -f flip_byte
    cat <<END
for manifest; do :; done
for segment in "\${manifest%/*}"/*.E01 "\${manifest%/*}"/*.raw; do
    [ ! -e "\$segment" ] || flip_byte "\$segment" 1000000
done
exec "$T/real-verify" "\$@"
END
} >"$T/bin/exhibit-verify"
chmod +x "$T/bin/exhibit-verify"
for format in e01 raw; do
    expect 6 exhibit acquire "$T/src" "$T/d/x" --format $format
    assert_contains "$T/err" "must not be used"
    assert_only "$T/d" x.partial
    assert_json "$T/d/x.partial/x.manifest.json" .verification.status failed
    rm -r "$T/d/x.partial"
done

# A verifier that says nothing or is killed has passed nothing, and found no difference either.
for end in 'exit 0' 'kill -9 $$'; do
    printf '#!/bin/sh\n%s\n' "$end" >"$T/bin/exhibit-verify"
    expect 1 exhibit acquire "$T/src" "$T/d/x"
    assert_contains "$T/err" "could not be read back"
    assert_lacks "$T/err" "must not be used"
    assert_only "$T/d" x.partial
    assert_json "$T/d/x.partial/x.manifest.json" .verification.status not-run
    rm -r "$T/d/x.partial"
done
