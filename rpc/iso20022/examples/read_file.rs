//! Prints what a bank's files say, a line a word, and what of them cannot be used.
#![allow(clippy::print_stdout, clippy::disallowed_types)]

use std::io::BufReader;

use rpc_iso20022::{Dialect, ReadItem, read_each};

fn main() -> Result<(), std::io::Error> {
    for name in std::env::args().skip(1) {
        println!("{name}");
        let input = BufReader::new(std::fs::File::open(name)?);
        let read = read_each(input, &Dialect::default(), &mut |item| match item {
            ReadItem::Message { name, id } => println!("  {name} {id}"),
            ReadItem::Word(word) => println!("  {word:?}"),
            ReadItem::Finding(finding) => println!("  {}: {}", finding.place, finding.flaw),
        });
        if let Err(flaw) = read {
            println!("  refused: {flaw}");
        }
    }
    Ok(())
}
