// Checks CASE documents against the shapes of the ontology (with npm's shacl-engine, jsonld, n3 and
// rdf-ext below $NODE_PATH/node_modules): node check-case.cjs ONTOLOGY.ttl.gz BUNDLE.jsonld...
const fs = require('fs')
const path = require('path')
const zlib = require('zlib')
const { pathToFileURL } = require('url')

const modules = path.join(process.env.NODE_PATH, 'node_modules')

// The ES modules among them are found by their files, not by NODE_PATH.
async function load(name, file) {
    return import(pathToFileURL(path.join(modules, name, file)))
}

async function main() {
    const { Parser } = require(path.join(modules, 'n3'))
    const jsonld = require(path.join(modules, 'jsonld'))
    const rdf = (await load('rdf-ext', 'index.js')).default
    const { Validator } = await load('shacl-engine', 'index.js')
    const { validations } = await load('shacl-engine', 'sparql.js')
    const turtle = zlib.gunzipSync(fs.readFileSync(process.argv[2])).toString()
    const ontology = new Parser({ factory: rdf }).parse(turtle)
    const classes = ontology.filter((q) => q.predicate.value.endsWith('#subClassOf'))
    const validator = new Validator(rdf.dataset(ontology), { factory: rdf, validations })
    let bad = 0
    for (const file of process.argv.slice(3)) {
        const document = JSON.parse(fs.readFileSync(file))
        const quads = await jsonld.toRDF(document, { format: 'application/n-quads' })
        const parser = new Parser({ factory: rdf, format: 'N-Quads' })
        const data = rdf.dataset([...parser.parse(quads), ...classes])
        const report = await validator.validate({ dataset: data })
        for (const result of report.results) {
            bad++
            console.log(file, result.severity?.value, result.message?.map((m) => m.value).join(),
                result.focusNode?.term?.value, result.value?.term?.value)
        }
    }
    console.log(`${process.argv.length - 3} documents, ${bad} results`)
    process.exit(bad ? 1 : 0)
}

main()
