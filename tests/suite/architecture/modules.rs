//! No import cycles between the modules of a crate. A module is a file; it imports the modules that
//! its paths beginning with `crate`, `self` or `super` lead to. Unit tests are not counted.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use syn::{
    Item, ItemMod, UseTree,
    visit::{self, Visit},
};

use super::files_in;

/// Path of a module in its crate; empty for the root.
type Module = Vec<String>;

#[test]
fn modules_have_no_import_cycles() {
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is in a workspace");
    let mut crates: Vec<_> = fs::read_dir(root.join("crates"))
        .expect("the directory is readable")
        .map(|entry| entry.expect("the entry is readable").path())
        .collect();
    crates.push(root.join("migration"));
    for package in crates {
        let imports = imports(&package.join("src"));
        assert!(!imports.is_empty(), "{} has modules", package.display());
        let cycle = cycle(&imports);
        assert_eq!(cycle, Vec::<String>::new(), "import cycle in {}", package.display());
    }
}

#[test]
fn a_cycle_is_found() {
    let module = |name: &str| vec![name.to_owned()];
    let imports = BTreeMap::from([
        (module("a"), BTreeSet::from([module("b")])),
        (module("b"), BTreeSet::from([module("c")])),
        (module("c"), BTreeSet::from([module("b")])),
    ]);
    assert_eq!(cycle(&imports), ["b", "c"], "b and c import each other, and a is in no cycle");
}

/// The imports of each module of a crate.
fn imports(source: &Path) -> BTreeMap<Module, BTreeSet<Module>> {
    let files: BTreeMap<Module, syn::File> = files_in(source)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .filter(|path| !path.starts_with(source.join("bin")))
        .filter(|path| !(path.ends_with("main.rs") && source.join("lib.rs").exists()))
        .map(|path| {
            let text = fs::read_to_string(&path).expect("the file is readable");
            let relative = path.strip_prefix(source).expect("the file is in the crate");
            (module_of(relative), syn::parse_file(&text).expect("the file is Rust"))
        })
        .collect();
    files
        .iter()
        .map(|(module, file)| {
            let children = children(module, &files);
            let mut paths = Paths { module: module.clone(), children, found: Vec::new() };
            paths.visit_file(file);
            let targets = paths
                .found
                .iter()
                .map(|path| target(path, &files))
                .filter(|target| target != module)
                .collect();
            (module.clone(), targets)
        })
        .collect()
}

/// Names of the modules directly below a module.
fn children(module: &Module, files: &BTreeMap<Module, syn::File>) -> BTreeSet<String> {
    let below = files.keys().filter(|other| other.len() == module.len() + 1);
    below
        .filter(|other| other.starts_with(module))
        .filter_map(|other| other.last().cloned())
        .collect()
}

fn module_of(file: &Path) -> Module {
    let mut module: Module =
        file.iter().map(|part| part.to_string_lossy().trim_end_matches(".rs").to_owned()).collect();
    if module.last().is_some_and(|name| ["lib", "main", "mod"].contains(&name.as_str())) {
        module.pop();
    }
    module
}

/// The longest prefix of a path that is a module.
fn target(path: &Module, files: &BTreeMap<Module, syn::File>) -> Module {
    let lengths = (0..=path.len()).rev();
    lengths
        .map(|length| path[..length].to_vec())
        .find(|module| files.contains_key(module))
        .unwrap_or_default()
}

/// Collects the paths into the same crate, as absolute paths.
struct Paths {
    module: Module,
    /// Names of the child modules.
    children: BTreeSet<String>,
    found: Vec<Module>,
}

impl Paths {
    fn add(&mut self, segments: &[String]) {
        let supers = segments.iter().take_while(|name| *name == "super").count();
        let (base, rest) = match segments.first().map(String::as_str) {
            Some("crate") => (Vec::new(), &segments[1..]),
            Some("self") => (self.module.clone(), &segments[1..]),
            Some("super") => {
                let depth = self.module.len().saturating_sub(supers);
                (self.module[..depth].to_vec(), &segments[supers..])
            }
            // A path that begins with a child module, such as `use child::X;`.
            Some(name) if self.children.contains(name) => (self.module.clone(), segments),
            _ => return,
        };
        self.found.push(base.into_iter().chain(rest.iter().cloned()).collect());
    }

    fn add_tree(&mut self, tree: &UseTree, prefix: &[String]) {
        let with = |name: String| [prefix, &[name]].concat();
        match tree {
            UseTree::Path(path) => self.add_tree(&path.tree, &with(path.ident.to_string())),
            UseTree::Name(name) => self.add(&with(name.ident.to_string())),
            UseTree::Rename(rename) => self.add(&with(rename.ident.to_string())),
            UseTree::Glob(_) => self.add(prefix),
            UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.add_tree(tree, prefix));
            }
        }
    }
}

impl<'a> Visit<'a> for Paths {
    fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
        self.add_tree(&item.tree, &[]);
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        let segments: Vec<String> =
            path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.add(&segments);
        visit::visit_path(self, path);
    }

    // `pub(crate)` imports nothing.
    fn visit_vis_restricted(&mut self, _: &'a syn::VisRestricted) {}

    // Bodies of macros are not parsed: their paths are sequences of tokens.
    fn visit_macro(&mut self, call: &'a syn::Macro) {
        let tokens = call.tokens.to_string();
        for path in tokens.split(|c: char| !(c.is_alphanumeric() || "_: ".contains(c))) {
            let segments: Vec<String> =
                path.split("::").map(|name| name.trim().to_owned()).collect();
            if segments.len() > 1 {
                self.add(&segments);
            }
        }
        visit::visit_macro(self, call);
    }

    fn visit_item_mod(&mut self, item: &'a ItemMod) {
        let is_test = item.attrs.iter().any(|attribute| {
            attribute.path().is_ident("cfg")
                && attribute.parse_args::<syn::Ident>().is_ok_and(|argument| argument == "test")
        });
        if is_test {
            return;
        }
        self.module.push(item.ident.to_string());
        for item in item.content.iter().flat_map(|(_, items): &(_, Vec<Item>)| items) {
            self.visit_item(item);
        }
        self.module.pop();
    }
}

/// Modules of the first cycle, sorted; empty if there is none.
fn cycle(imports: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<String> {
    // A module without imports is in no cycle, nor is one that imports only such modules.
    let mut left = imports.clone();
    while let Some(free) =
        left.iter().find(|(_, targets)| targets.iter().all(|target| !left.contains_key(target)))
    {
        let free = free.0.clone();
        left.remove(&free);
    }
    let is_imported = |module: &Module| left.values().any(|targets| targets.contains(module));
    left.keys().filter(|module| is_imported(module)).map(|module| module.join("::")).collect()
}
