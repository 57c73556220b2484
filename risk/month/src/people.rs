//! Who lives in the month: people with habits, merchants, and networks that many share.

use crate::draws::Draws;
use crate::order::{MonthOrder, MonthScale};

/// People of one mobile network.
const PEOPLE_A_CARRIER: u64 = 400;
/// People for each public network: cafés, stations, campuses.
const PEOPLE_A_PUBLIC_NETWORK: u64 = 40;
/// Days before the month in which people may have joined.
const DAYS_BEFORE: u64 = 700;
/// Gateways that people pay by: banks and wallets.
const GATEWAYS: u64 = 4;

/// A user with habits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Person {
    pub id: [u8; 16],
    pub devices: [u64; 2],
    pub home: u64,
    pub carrier: u64,
    pub merchants: [u64; 3],
    pub gateway: u32,
    /// The usual amount of the person, in minor units.
    pub level: u64,
    /// The day on which the person joined, counted from 700 days before the month.
    pub joined: u32,
}

/// Everybody, and every place.
#[derive(Debug, Clone)]
pub(crate) struct World {
    people: Vec<Person>,
    merchants: u64,
    carriers: u64,
    public: Vec<u64>,
}

impl World {
    /// Makes a world of this scale.
    pub fn of_scale(scale: &MonthScale, draws: &mut Draws) -> Self {
        let users = u64::from(scale.users.max(1));
        let merchants = u64::from(scale.merchants.max(1));
        let carriers = users / PEOPLE_A_CARRIER + 3;
        let public = (0..=users / PEOPLE_A_PUBLIC_NETWORK).map(|_| draws.any()).collect();
        let mut world = Self { people: Vec::new(), merchants, carriers, public };
        for number in 0..users {
            let mut person = world.person(draws);
            // Every second person lives with the one before, and lends a device.
            if let Some(other) = world.people.last().filter(|_| number % 2 == 1) {
                person.home = other.home;
                person.devices[1] = other.devices[0];
            }
            world.people.push(person);
        }
        world
    }

    /// Draws a person, who joined at any time before the month's end.
    fn person(&self, draws: &mut Draws) -> Person {
        let joined = if draws.happens(85) {
            draws.below(DAYS_BEFORE)
        } else {
            draws.between(DAYS_BEFORE, DAYS_BEFORE + 29)
        };
        let level = 1_500 << draws.below(9);
        Person {
            id: draws.bytes(),
            devices: [draws.any(), draws.any()],
            home: draws.any(),
            carrier: 1 + draws.below(self.carriers),
            merchants: [self.merchant(draws), self.merchant(draws), self.merchant(draws)],
            gateway: self.gateway(draws),
            level: level + draws.below(level),
            joined: joined as u32,
        }
    }

    /// Draws somebody who has joined by a day of the month, busy people more often.
    pub fn somebody(&self, day: u32, draws: &mut Draws) -> Person {
        loop {
            let person = self.people[draws.skewed(self.people.len() as u64) as usize];
            if u64::from(person.joined) <= DAYS_BEFORE + u64::from(day) {
                return person;
            }
        }
    }

    /// Draws anybody who has joined by a day of the month, each equally often.
    pub fn anybody(&self, day: u32, draws: &mut Draws) -> Person {
        loop {
            let person = self.people[draws.below(self.people.len() as u64) as usize];
            if u64::from(person.joined) <= DAYS_BEFORE + u64::from(day) {
                return person;
            }
        }
    }

    /// Draws somebody who was not there before: an account made for a purpose.
    pub fn newcomer(&self, day: u32, draws: &mut Draws) -> Person {
        let joined = DAYS_BEFORE + u64::from(day);
        Person { joined: joined as u32, ..self.person(draws) }
    }

    /// Draws a merchant, large ones more often.
    pub fn merchant(&self, draws: &mut Draws) -> u64 {
        1_000 + draws.skewed(self.merchants)
    }

    /// Draws a public network.
    pub fn public_network(&self, draws: &mut Draws) -> u64 {
        self.public[draws.skewed(self.public.len() as u64) as usize]
    }

    /// Draws the id of a gateway, each equally often.
    pub fn gateway(&self, draws: &mut Draws) -> u32 {
        201 + draws.below(GATEWAYS) as u32
    }
}

impl Person {
    /// Returns an order of the person's habits at a time of a day of the month.
    pub fn order(&self, world: &World, time_ms: u64, day: u32, draws: &mut Draws) -> MonthOrder {
        let device = match draws.below(100) {
            0..86 => self.devices[0],
            86..96 => self.devices[1],
            _ => draws.any(),
        };
        let network = match draws.below(100) {
            0..60 => self.home,
            60..85 => self.carrier,
            _ => world.public_network(draws),
        };
        let merchant = match draws.below(100) {
            habit @ 0..75 => self.merchants[habit as usize % 3],
            _ => world.merchant(draws),
        };
        MonthOrder {
            number: 0,
            time_ms,
            user: self.id,
            merchant,
            device,
            network,
            gateway: self.gateway,
            amount: self.amount(draws),
            identity_age_days: self.age_days(day),
            truth: None,
        }
    }

    /// Draws an amount of the person's habits: round for most, and now and then a large one.
    pub fn amount(&self, draws: &mut Draws) -> u64 {
        let usual = self.level * draws.between(128, 512) / 256;
        let amount = if draws.happens(8) { usual * draws.between(2, 8) } else { usual };
        if draws.happens(65) { (amount / 1_000 + 1) * 1_000 } else { amount + 1 }
    }

    /// Returns the days since the person joined.
    pub fn age_days(&self, day: u32) -> u32 {
        (DAYS_BEFORE as u32 + day).saturating_sub(self.joined)
    }
}
