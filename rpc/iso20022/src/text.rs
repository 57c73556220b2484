//! Names and free text as a bank's character set carries them. Ids are never changed and never cut.

/// The characters that a bank carries in names and free text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CharacterSet {
    /// The SWIFT X set: letters and digits of ASCII, space and `/-?:().,'+`. Letters with marks
    /// lose them, and any other character becomes a space.
    #[default]
    Swift,
    /// Every character that XML 1.0 carries, but no control characters.
    Unicode,
}

/// Letters with marks, and what stands for them in the SWIFT X set.
const FOLDED: [(&str, &str); 46] = [
    ("ÀÁÂÃĀĂĄ", "A"),
    ("Å", "A"),
    ("ÄÆ", "AE"),
    ("ÇĆĈĊČ", "C"),
    ("ÐĎĐ", "D"),
    ("ÈÉÊËĒĔĖĘĚ", "E"),
    ("ĜĞĠĢ", "G"),
    ("ĤĦ", "H"),
    ("ÌÍÎÏĨĪĬĮİ", "I"),
    ("Ĵ", "J"),
    ("Ķ", "K"),
    ("ĹĻĽĿŁ", "L"),
    ("ÑŃŅŇ", "N"),
    ("ÒÓÔÕØŌŎŐ", "O"),
    ("ÖŒ", "OE"),
    ("ŔŖŘ", "R"),
    ("ŚŜŞŠȘ", "S"),
    ("ŢŤŦȚ", "T"),
    ("ÙÚÛŨŪŬŮŰŲ", "U"),
    ("Ü", "UE"),
    ("Ŵ", "W"),
    ("ÝŶŸ", "Y"),
    ("ŹŻŽ", "Z"),
    ("Þ", "TH"),
    ("àáâãāăą", "a"),
    ("å", "a"),
    ("äæ", "ae"),
    ("çćĉċč", "c"),
    ("ðďđ", "d"),
    ("èéêëēĕėęě", "e"),
    ("ĝğġģ", "g"),
    ("ĥħ", "h"),
    ("ìíîïĩīĭįı", "i"),
    ("ĵ", "j"),
    ("ķ", "k"),
    ("ĺļľŀł", "l"),
    ("ñńņň", "n"),
    ("òóôõøōŏő", "o"),
    ("öœ", "oe"),
    ("ŕŗř", "r"),
    ("śŝşšș", "s"),
    ("ţťŧț", "t"),
    ("ùúûũūŭůűų", "u"),
    ("ü", "ue"),
    ("ýŷÿ", "y"),
    ("źżž", "z"),
];

/// Returns `name` in a character set, cut at a character to `characters_max`. If nothing of it is
/// left, returns `otherwise` in the same way, and at the last a full stop: never an empty text.
pub fn name_text(
    name: &str,
    otherwise: &str,
    characters: CharacterSet,
    characters_max: usize,
) -> String {
    let texts = [name, otherwise, "."].into_iter();
    let mut written = texts.map(|text| cut(&carried(text, characters), characters_max));
    written.find(|text| !text.is_empty()).unwrap_or_default()
}

/// Returns `text` in a character set: words one space apart, without control characters.
fn carried(text: &str, characters: CharacterSet) -> String {
    let mut carried = String::with_capacity(text.len());
    for letter in text.chars() {
        match characters {
            CharacterSet::Unicode if is_unicode(letter) => carried.push(letter),
            CharacterSet::Swift if is_swift(letter) => carried.push(letter),
            CharacterSet::Swift => carried.push_str(folded(letter)),
            CharacterSet::Unicode => carried.push(' '),
        }
    }
    let words: Vec<&str> = carried.split_whitespace().collect();
    let text = words.join(" ");
    match characters {
        // A line that begins with these is a command of older networks.
        CharacterSet::Swift => text.trim_start_matches(['/', '-', ':', ' ']).to_owned(),
        CharacterSet::Unicode => text,
    }
}

fn is_swift(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || " /-?:().,'+".contains(letter)
}

fn is_unicode(letter: char) -> bool {
    !letter.is_control() && !matches!(letter, '\u{fffe}' | '\u{ffff}')
}

fn folded(letter: char) -> &'static str {
    match letter {
        'ß' => "ss",
        'þ' => "th",
        '’' | '‘' | '`' | '´' => "'",
        '–' | '—' | '_' => "-",
        '&' => "+",
        _ => FOLDED.iter().find(|(letters, _)| letters.contains(letter)).map_or(" ", |(_, to)| to),
    }
}

/// Returns at most `characters_max` characters, and never one without the marks that follow it.
fn cut(text: &str, characters_max: usize) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut end = letters.len().min(characters_max);
    while end > 0 && letters.get(end).is_some_and(|letter| is_mark(*letter)) {
        end -= 1;
    }
    // A text of marks alone is cut where it must be.
    let end = if end == 0 { letters.len().min(characters_max) } else { end };
    letters[..end].iter().collect::<String>().trim_end().to_owned()
}

/// Returns true if a character belongs to the one before it.
fn is_mark(letter: char) -> bool {
    matches!(letter,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}'
        | '\u{64b}'..='\u{65f}' | '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}'
        | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{200d}'
        | '\u{20d0}'..='\u{20ff}' | '\u{3099}'..='\u{309a}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{fe20}'..='\u{fe2f}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0100}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_carried_in_the_bank_s_characters() {
        for (name, swift, unicode) in [
            ("Müller & Söhne GmbH", "Mueller + Soehne GmbH", "Müller & Söhne GmbH"),
            ("  Café\tÉtoile\n", "Cafe Etoile", "Café Étoile"),
            ("//-:Shop", "Shop", "//-:Shop"),
            ("李记餐厅", "MERCHANT 1001", "李记餐厅"),
            ("李记 Li's <Shop>", "Li's Shop", "李记 Li's <Shop>"),
            ("", "MERCHANT 1001", "MERCHANT 1001"),
            ("\u{1}\u{0}", "MERCHANT 1001", "MERCHANT 1001"),
        ] {
            assert_eq!(name_text(name, "MERCHANT 1001", CharacterSet::Swift, 70), swift);
            assert_eq!(name_text(name, "MERCHANT 1001", CharacterSet::Unicode, 70), unicode);
        }
        assert_eq!(name_text("", "", CharacterSet::Swift, 70), ".");
    }

    #[test]
    fn a_name_is_cut_at_a_character_and_not_before_its_mark() {
        let name = "Nguye\u{302}\u{303}n";
        assert_eq!(name_text(name, "x", CharacterSet::Unicode, 6), "Nguy");
        assert_eq!(name_text(name, "x", CharacterSet::Unicode, 7), "Nguye\u{302}\u{303}");
        assert_eq!(
            name_text("餐".repeat(200).as_str(), "x", CharacterSet::Unicode, 140).len(),
            420
        );
        assert_eq!(name_text("ab cd", "x", CharacterSet::Swift, 3), "ab");
    }

    proptest! {
        #[test]
        fn a_name_is_never_empty_nor_too_long(name in "\\PC{0,200}|.{0,200}", most in 1_usize..140) {
            for characters in [CharacterSet::Swift, CharacterSet::Unicode] {
                let text = name_text(&name, "MERCHANT 1", characters, most);
                prop_assert!((1..=most).contains(&text.chars().count()));
                prop_assert_eq!(text.trim(), &text);
                if characters == CharacterSet::Swift {
                    prop_assert!(text.chars().all(is_swift));
                }
            }
        }
    }
}
