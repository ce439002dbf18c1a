//! The one function that changes page bytes: when a change is first made, and whenever it is redone.

use super::{Link, Shape, tag};
use crate::codec::{Reader, bad_page};
use crate::map;
use crate::meta;
use crate::node;
use crate::overflow;
use godb_buffer::slotted::{self, Damaged, Slots};
use godb_buffer::{Fault, PageId, TreeId, header};

/// Makes the operations in `changes` on the bytes of page `id`.
pub(crate) fn apply(id: PageId, page: &mut [u8], changes: &[u8]) -> Result<(), Fault> {
    let mut from = Reader::new(changes);
    while !from.is_empty() {
        one(id, page, &mut from)?;
    }
    Ok(())
}

fn one(id: PageId, page: &mut [u8], from: &mut Reader<'_>) -> Result<(), Fault> {
    let done = match from.u8()? {
        tag::FORMAT => {
            format(page, read_shape(from)?);
            Ok(())
        }
        tag::OVERFLOW => {
            let link = read_link(from)?;
            overflow::write(page, link, read_cell(from)?)
        }
        tag::MAP => {
            map::format(page);
            Ok(())
        }
        tag::META => {
            meta::format(page);
            Ok(())
        }
        tag::INSERT => {
            let at = usize::from(from.u16()?);
            slotted::insert(page, at, read_cell(from)?)
        }
        tag::REMOVE => slotted::remove(page, usize::from(from.u16()?)),
        tag::REPLACE => {
            let at = usize::from(from.u16()?);
            slotted::replace(page, at, read_cell(from)?)
        }
        tag::AMEND => {
            let (at, cut) = (usize::from(from.u16()?), usize::from(from.u16()?));
            amend(page, at, cut, read_cell(from)?)
        }
        tag::KEEP => slotted::keep(page, usize::from(from.u16()?)),
        tag::APPEND => slotted::append(page, [read_cell(from)?]),
        tag::RIGHT => {
            header::set_right_link(page, PageId::from_raw(from.u32()?));
            Ok(())
        }
        tag::TAKE => set_bits(id, page, from, true)?,
        tag::GIVE => set_bits(id, page, from, false)?,
        tag::COUNT => {
            let next_tree = TreeId::from_raw(from.u32()?);
            let maps = from.u32()?;
            meta::count(page, next_tree, maps, from.i32()?);
            Ok(())
        }
        tag::MAPS => {
            meta::set_maps(page, from.u32()?);
            Ok(())
        }
        tag::FIRST => {
            slotted::set_link(page, PageId::from_raw(from.u32()?));
            Ok(())
        }
        _ => Err(Damaged("a log record holds an operation of unknown kind for it")),
    };
    done.map_err(|Damaged(what)| bad_page(id, what))
}

fn amend(page: &mut [u8], at: usize, cut: usize, with: &[u8]) -> Result<(), Damaged> {
    let amended = node::amended(Slots::of(page)?.cell(at)?, cut, with)?;
    slotted::replace(page, at, &amended)
}

fn read_shape(from: &mut Reader<'_>) -> Result<Shape, Fault> {
    Ok(Shape {
        level: from.u8()?,
        tree: TreeId::from_raw(from.u32()?),
        right: PageId::from_raw(from.u32()?),
        first: PageId::from_raw(from.u32()?),
    })
}

fn read_link(from: &mut Reader<'_>) -> Result<Link, Fault> {
    Ok(Link {
        tree: TreeId::from_raw(from.u32()?),
        chain: PageId::from_raw(from.u32()?),
        at: from.u64()?,
        next: PageId::from_raw(from.u32()?),
    })
}

fn read_cell<'a>(from: &mut Reader<'a>) -> Result<&'a [u8], Fault> {
    let length = from.u16()?;
    from.take(usize::from(length))
}

fn format(page: &mut [u8], shape: Shape) {
    slotted::format(page, shape.kind(), shape.level, shape.tree);
    header::set_right_link(page, shape.right);
    slotted::set_link(page, shape.first);
}

fn set_bits(
    id: PageId,
    page: &mut [u8],
    from: &mut Reader<'_>,
    taken: bool,
) -> Result<Result<(), Damaged>, Fault> {
    let count = from.u16()?;
    for _ in 0..count {
        let bit = PageId::from_raw(from.u32()?);
        if let Err(damaged) = map::set(id, page, bit, taken) {
            return Ok(Err(damaged));
        }
    }
    Ok(Ok(()))
}
